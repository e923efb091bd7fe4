import { locale } from './locale.svelte'

// Making a format costs far more than using it.
const formats = new Map<string, unknown>()

function kept<Format>(name: string, make: () => Format): Format {
  const key = `${locale.current} ${name}`
  let made = formats.get(key) as Format | undefined
  if (made === undefined) {
    made = make()
    formats.set(key, made)
  }
  return made
}

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(name, () => new Intl.DateTimeFormat(regional(), options))
}

/** The language that is spoken, in the manner of the region that the system names for it: 13:30 or 1:30 PM. */
function regional(): string {
  const language = locale.current.split('-')[0]
  return navigator.languages.find((tag) => tag.split('-')[0] === language) ?? locale.current
}

export function timeOfDay(at: number): string {
  return format('time', { hour: 'numeric', minute: '2-digit' }).format(at)
}

export function fullTime(at: number): string {
  return format('full', { dateStyle: 'full', timeStyle: 'medium' }).format(at)
}

export function dateAndTime(at: number): string {
  return format('dateTime', { dateStyle: 'medium', timeStyle: 'short' }).format(at)
}

export function dayOnly(at: number): string {
  return format('date', { dateStyle: 'medium' }).format(at)
}

/** Midnight of the day, in local time: equal for two times of one day. */
export function dayOf(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

export function daysAgo(at: number, now: number): number {
  return Math.round((dayOf(now) - dayOf(at)) / 86_400_000)
}

/** "Today", "Yesterday", a weekday within a week, else the date. */
export function dayName(at: number, now: number): string {
  const days = daysAgo(at, now)
  if (days === 0 || days === 1) return capitalised(relative('day', -days))
  if (days > 1 && days < 7) return capitalised(format('weekday', { weekday: 'long' }).format(at))
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  const date: Intl.DateTimeFormatOptions = { weekday: 'long', day: 'numeric', month: 'long' }
  return thisYear
    ? format('day', date).format(at)
    : format('dayYear', { ...date, year: 'numeric' }).format(at)
}

/** Short, for the list: minutes and hours until yesterday, then dates. */
export function ago(at: number, now: number): string {
  const minutes = minutesAgo(at, now)
  if (minutes < 1) return relative('second', 0)
  if (minutes < 60) return relative('minute', -minutes, 'narrow')
  const days = daysAgo(at, now)
  if (days === 0) return timeOfDay(at)
  if (days === 1) return capitalised(relative('day', -1))
  if (days < 7) return format('weekdayShort', { weekday: 'short' }).format(at)
  return format('short', { day: 'numeric', month: 'short' }).format(at)
}

/** Clocks of others may be ahead: a little in the future is now, a lot is told as it is. */
function minutesAgo(at: number, now: number): number {
  const minutes = Math.floor((now - at) / 60_000)
  return minutes < -5 ? Number.POSITIVE_INFINITY : Math.max(0, minutes)
}

/** For a line of a timeline: a minute count while it is fresh, then the time of day. */
export function lineTime(at: number, now: number): string {
  const minutes = minutesAgo(at, now)
  if (minutes < 1) return relative('second', 0)
  if (minutes < 60) return relative('minute', -minutes, 'short')
  return timeOfDay(at)
}

export function inTime(until: number, now: number): string {
  const minutes = Math.max(1, Math.round((until - now) / 60_000))
  if (minutes < 60) return relative('minute', minutes)
  const hours = Math.round(minutes / 60)
  return hours < 48 ? relative('hour', hours) : relative('day', Math.round(hours / 24))
}

export function sinceTime(at: number, now: number): string {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes < 2) return relative('second', 0)
  if (minutes < 60) return relative('minute', -minutes)
  if (minutes < 24 * 60) return relative('hour', -Math.floor(minutes / 60))
  const days = daysAgo(at, now)
  return days < 30 ? relative('day', -days) : dayOnly(at)
}

function relative(
  unit: Intl.RelativeTimeFormatUnit,
  value: number,
  style: Intl.RelativeTimeFormatStyle = 'long',
): string {
  return kept(
    `relative ${style}`,
    () => new Intl.RelativeTimeFormat(locale.current, { numeric: 'auto', style }),
  ).format(value, unit)
}

function capitalised(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale.current) + text.slice(1)
}

export function count(number: number): string {
  return kept('number', () => new Intl.NumberFormat(locale.current)).format(number)
}

/** Names as the language joins them: "Ann, Bo and Cy". */
export function listOf(names: string[]): string {
  return kept('list', () => new Intl.ListFormat(locale.current, { type: 'conjunction' })).format(names)
}

/** A length of time in the largest unit that it fits into. */
export function duration(seconds: number): string {
  const [unit, length] =
    seconds % 86_400 === 0
      ? (['day', 86_400] as const)
      : seconds % 3600 === 0
        ? (['hour', 3600] as const)
        : seconds % 60 === 0
          ? (['minute', 60] as const)
          : (['second', 1] as const)
  return kept(
    `duration ${unit}`,
    () => new Intl.NumberFormat(locale.current, { style: 'unit', unit, unitDisplay: 'long' }),
  ).format(seconds / length)
}

export function bytes(size: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3))
  return new Intl.NumberFormat(locale.current, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: step > 1 ? 1 : 0,
  }).format(size / 1000 ** step)
}
