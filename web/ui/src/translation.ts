// How a processor of today (x86-64, four levels) finds the frame of an address: nothing
// but arithmetic, so that a drawing may ask for any address. Addresses are of the lower
// half, where programs live: 47 bits.

export const highest = 0x7fff_ffff_ffffn;

/** Bytes; those that x86-64 has. */
export type PageSize = 4096 | 2097152 | 1073741824;

export interface Translation {
  address: bigint;
  size: PageSize;
  /** Index of 9 bits for each level, the topmost first: one less for 2 MiB, two for 1 GiB. */
  indexes: number[];
  /** Level of the last index: 1, 2 for 2 MiB, 3 for 1 GiB. */
  lowest: number;
  /** Number of bits that are not translated. */
  offsetBits: number;
  offset: bigint;
  page: bigint;
  frame: bigint;
  physical: bigint;
}

/** The address that a person typed in hexadecimal, or why it is none. */
export function parseAddress(typed: string): bigint | string {
  const digits = typed.trim().toLowerCase().replace(/^0x/, "").replaceAll("_", "");
  if (!/^[0-9a-f]+$/.test(digits)) return "Hexadecimal digits, please: 0 to 9 and a to f.";
  if (digits.length > 16) return "An address has at most 16 hexadecimal digits.";
  const address = BigInt(`0x${digits}`);
  if (address > highest) return "A program's own addresses end at 0x7fffffffffff.";
  return address;
}

/**
 * Takes an address apart. The frames are made up, as the kernel's choice would look to
 * us; the same page has the same frame each time.
 */
export function translateAddress(address: bigint, size: PageSize, tables = 4): Translation {
  const offsetBits = Math.log2(size);
  const page = address >> BigInt(offsetBits);
  const levels = tables - (offsetBits - 12) / 9;
  const indexes = Array.from({ length: levels }, (_, i) => Number((page >> BigInt(9 * (levels - 1 - i))) & 511n));
  const offset = address & BigInt(size - 1);
  const frame = frameOf(page);
  return { address, size, indexes, lowest: 1 + (offsetBits - 12) / 9, offsetBits, offset, page, frame, physical: (frame << BigInt(offsetBits)) | offset };
}

/** One of 512 frames. Page 0x402 lies in frame 0x1f3; its neighbours don't lie beside that. */
function frameOf(page: bigint): bigint {
  const far = (page - 0x402n) * 0x6fn + 0x1f3n;
  return ((far % 512n) + 512n) % 512n;
}

/** In hexadecimal, filled up to a number of digits. */
export function hex(value: bigint | number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** The bits of a number, the highest first. */
export function bits(value: bigint | number, count: number): string {
  return value.toString(2).padStart(count, "0");
}
