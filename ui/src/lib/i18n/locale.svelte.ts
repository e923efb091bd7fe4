import { isLocale, locales, overwriteGetLocale, baseLocale } from './generated/runtime.js'

export type Locale = (typeof locales)[number]

/** Which languages there are, each by its own name. */
export const LANGUAGES: readonly { locale: Locale; name: string }[] = locales.map((locale) => ({
  locale,
  name: new Intl.DisplayNames([locale], { type: 'language' }).of(spoken(locale)) ?? locale,
}))

/** Chinese is told apart by how it is written, not by where. */
function spoken(locale: string): string {
  const { language, script } = new Intl.Locale(locale).maximize()
  return language === 'zh' ? `zh-${script}` : locale
}

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur'])

class LocaleState {
  current: Locale = $state(baseLocale)

  get direction(): 'ltr' | 'rtl' {
    return RIGHT_TO_LEFT.has(this.current.split('-')[0] ?? '') ? 'rtl' : 'ltr'
  }

  /** Takes a language tag as settings or the system name it; the nearest one that we speak counts. */
  use(wanted: string): void {
    this.current = nearest(wanted)
    document.documentElement.lang = this.current
    document.documentElement.dir = this.direction
  }
}

export const locale = new LocaleState()

// Messages read this state, so that whatever shows one is drawn anew when the language changes.
overwriteGetLocale(() => locale.current)

export function nearest(wanted: string): Locale {
  if (isLocale(wanted)) return wanted
  const language = wanted.split('-')[0]
  return locales.find((locale) => locale.split('-')[0] === language) ?? baseLocale
}
