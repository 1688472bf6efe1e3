// When a question of the gauntlet comes again. The server has the same rules in
// labs/classroom/spacing.go; labs/classroom/testdata/spacing.json holds both to them.
// Days are written 2026-11-24 and compare as text.

const spaces = [1, 3, 7, 14, 30, 60];

/** Good answers in a row after this one. */
export function nextStep(step: number, said: number, points: number): number {
  if (said >= points - 1) return step + 1;
  return 2 * said >= points ? step : 0;
}

/** The day a question comes again; "" when the interview comes first. */
export function due(day: string, step: number, chosen: string, interview: string): string {
  let again = addDays(day, spaces[Math.min(Math.max(step, 1), spaces.length) - 1] ?? 1);
  if (chosen > day) again = chosen;
  if (interview > day) {
    const eve = addDays(interview, -1);
    if (eve < again) again = eve;
  }
  return again <= day ? "" : again;
}

export function addDays(day: string, count: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

/** Today where the reader is. */
export function today(now = new Date()): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** "today", "tomorrow", "Thursday", or the date when it is a week away and more. */
export function dayName(day: string, from: string): string {
  const away = daysBetween(from, day);
  if (away <= 0) return "today";
  if (away === 1) return "tomorrow";
  const date = new Date(`${day}T00:00:00Z`);
  const form: Intl.DateTimeFormatOptions = away < 7 ? { weekday: "long" } : { day: "numeric", month: "long" };
  return new Intl.DateTimeFormat("en", { ...form, timeZone: "UTC" }).format(date);
}
