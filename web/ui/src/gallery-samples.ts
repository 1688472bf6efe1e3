// Data for every picture and stepper, short and long, as content would hold it.

export const pictures: { kind: string; title: string; data: unknown }[] = [
  {
    kind: "address-space",
    title: "The address space of a process",
    data: {
      high: "0x7fff…",
      low: "0x0",
      regions: [
        { name: "stack", colour: "memory", note: "functions that have not returned", grows: "down" },
        { name: "gap", note: "in no region" },
        { name: "libraries", colour: "io", note: "libc and other mapped files" },
        { name: "gap", note: "in no region, terabytes wide" },
        { name: "heap", colour: "memory", note: "what malloc hands out", grows: "up" },
        { name: "BSS and data", colour: "memory", note: "global variables" },
        { name: "text", colour: "cpu", note: "the instructions" },
        { name: "gap", note: "in no region; address 0 is here" },
      ],
    },
  },
  { kind: "page-walk", title: "How 0x004021a8 is taken apart", data: { address: "0x004021a8", levels: 4, page: 4096 } },
  { kind: "page-walk", title: "The same with pages of 2 MiB", data: { address: "0x7ffd12a4c0f8", levels: 4, page: 2097152 } },
  {
    kind: "states",
    title: "Process states",
    data: {
      states: [
        { key: "R", name: "running", colour: "cpu" },
        { key: "S", name: "sleeping", colour: "user" },
        { key: "D", name: "in I/O", colour: "io" },
        { key: "T", name: "stopped", colour: "kernel" },
        { key: "Z", name: "zombie", colour: "alert" },
      ],
      moves: [
        { from: "R", to: "S", say: "waits for an event" },
        { from: "S", to: "R", say: "the event came" },
        { from: "R", to: "D", say: "waits for the disk" },
        { from: "D", to: "R", say: "the disk answered" },
        { from: "R", to: "T", say: "SIGSTOP" },
        { from: "T", to: "R", say: "SIGCONT" },
        { from: "R", to: "Z", say: "exits" },
        { from: "T", to: "Z", say: "SIGKILL" },
      ],
    },
  },
  {
    kind: "descriptors",
    title: "From descriptor to inode",
    data: {
      table: [
        { fd: 0, to: "a" },
        { fd: 1, to: "a" },
        { fd: 2, to: "a" },
        { fd: 3, to: "b" },
        { fd: 4, to: "c" },
      ],
      descriptions: [
        { id: "a", offset: 0, flags: "O_RDWR", to: "t" },
        { id: "b", offset: 120, flags: "O_RDONLY", to: "f" },
        { id: "c", offset: 4096, flags: "O_WRONLY|O_APPEND", to: "f" },
      ],
      objects: [
        { id: "t", name: "/dev/pts/0", kind: "terminal" },
        { id: "f", name: "notes.txt", kind: "inode 4711" },
      ],
    },
  },
  {
    kind: "latency",
    title: "If a cycle took a second",
    data: {
      rows: [
        { name: "one cycle", ns: 0.3, colour: "cpu" },
        { name: "L1 cache", ns: 1, colour: "cpu" },
        { name: "L2 cache", ns: 4, colour: "memory" },
        { name: "L3 cache", ns: 40, colour: "memory" },
        { name: "main memory", ns: 100, colour: "memory" },
        { name: "NVMe disk", ns: 100_000, colour: "io" },
        { name: "spinning disk", ns: 10_000_000, colour: "io" },
      ],
    },
  },
  {
    kind: "cycle",
    title: "The loop, with one look more",
    data: {
      steps: [
        { name: "fetch", say: "Read the next instruction." },
        { name: "decode", say: "Work out what it asks for." },
        { name: "execute", say: "Do it." },
        { name: "look", say: "Has a device called? Then run the handler first." },
      ],
    },
  },
  {
    kind: "layers",
    title: "Programs above the line, the kernel below",
    data: {
      user: ["your program", "libc"],
      kernel: ["entry", "table", "the functions behind it"],
      hardware: ["core", "RAM", "disk", "network"],
      crossing: "the syscall instruction",
    },
  },
];

const ask = { question: "What does `fork` return in the child?", options: ["0", "the PID of the child"], answer: "0", reply: "The child gets 0." };

/** One step of a stepper: title, caption, scene, and what it asks, if anything. */
const step = (title: string, draw: string, asks?: typeof ask) => ({ title, draw, caption: `A caption of the step *${title}*, as long as one of the course. It says in forty words at most what has changed in the drawing, and why the kernel does it in this way and in no other.`, ...(asks ? { ask: asks } : {}) });

export const steppers: { id: string; kind: string; title: string; steps: ReturnType<typeof step>[] }[] = [
  {
    id: "birth",
    kind: "birth",
    title: "From `./a.out` to its end",
    steps: [step("fork", "fork", ask), ...["exec", "map", "link", "fault", "call", "exit"].map((draw) => step(draw, draw))],
  },
  { id: "translate", kind: "translate", title: "Where is 0x004021a8?", steps: ["split", "tlb", "walk", "fault", "physical"].map((draw) => step(draw, draw)) },
  { id: "crossing", kind: "crossing", title: "One `read`, across the line and back", steps: ["user", "number", "syscall", "entry", "table", "work", "return"].map((draw) => step(draw, draw)) },
  { id: "lost-update", kind: "lost-update", title: "Two threads, one counter", steps: ["start", "lose", "keep", "mutex"].map((draw) => step(draw, draw)) },
];
