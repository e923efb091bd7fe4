import type * as Messages from './generated/messages/_index.js'
import { isLocale, locales, overwriteGetLocale, baseLocale } from './generated/runtime.js'

export type Locale = (typeof locales)[number]

type Words = Record<string, (inputs?: unknown) => string>

/** The messages of each language, fetched when it is spoken. */
const WORDS = import.meta.glob<Words>(['./generated/messages/*.js', '!**/_index.js'])

/** Which languages there are, each by its own name. */
export function languages(): { locale: Locale; name: string }[] {
  return locales.map((locale) => ({
    locale,
    name: new Intl.DisplayNames([locale], { type: 'language' }).of(spoken(locale)) ?? locale,
  }))
}

/** Chinese is told apart by how it is written, not by where. */
function spoken(locale: string): string {
  const { language, script } = new Intl.Locale(locale).maximize()
  return language === 'zh' ? `zh-${script}` : locale
}

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur'])

class LocaleState {
  current: Locale = $state(baseLocale)
  words: Words = $state.raw({})
  private wanted: Locale | null = null

  get direction(): 'ltr' | 'rtl' {
    return RIGHT_TO_LEFT.has(this.current.split('-')[0] ?? '') ? 'rtl' : 'ltr'
  }

  /** Takes a language tag as settings or the system name it; the nearest one that we speak counts, from when its messages are here. */
  async use(tag: string): Promise<void> {
    const wanted = (this.wanted = nearest(tag))
    const words = await WORDS[`./generated/messages/${wanted}.js`]?.()
    if (!words || this.wanted !== wanted) return
    this.words = words
    this.current = wanted
    document.documentElement.lang = wanted
    document.documentElement.dir = this.direction
  }
}

export const locale = new LocaleState()

// What messages say of numbers and times.
overwriteGetLocale(() => locale.current)

/** All messages, each a function of what it tells, in the language that is spoken: whatever calls one is drawn anew when that changes. */
export const m = new Proxy({} as typeof Messages, {
  get: (_, key: string) => (inputs?: unknown) => locale.words[key]?.(inputs),
})

export function nearest(wanted: string): Locale {
  if (isLocale(wanted)) return wanted
  const language = wanted.split('-')[0]
  return locales.find((locale) => locale.split('-')[0] === language) ?? baseLocale
}
