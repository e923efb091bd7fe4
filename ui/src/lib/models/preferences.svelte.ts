import { locale } from '$lib/i18n'
import {
  DEFAULT_SETTINGS,
  errorOf,
  type AppError,
  type Backend,
  type DoNotDisturb,
  type LocalSettings,
  type TrayStatus,
} from '$lib/backend'

/** How the app is on this computer, and how that shows. */
export class Preferences {
  settings: LocalSettings = $state.raw(DEFAULT_SETTINGS)
  doNotDisturb: DoNotDisturb = $state.raw({ kind: 'off' })
  tray: TrayStatus = $state.raw({ host: false, closeHides: false })
  error: AppError | null = $state(null)
  /** Once the language of the settings is spoken. */
  spoken: Promise<void> = Promise.resolve()
  private systemLanguage = 'en'

  constructor(private readonly backend: Backend) {}

  take(settings: LocalSettings, language: string): void {
    this.systemLanguage = language
    this.settings = settings
    this.show()
  }

  update(settings: LocalSettings): void {
    this.settings = settings
    this.show()
  }

  /** Shows at once, and is put right by what the shell answers. */
  async change(change: Partial<LocalSettings>): Promise<void> {
    const before = this.settings
    this.update({ ...before, ...change })
    try {
      this.update(await this.backend.setSettings(this.settings))
      this.error = null
    } catch (thrown) {
      this.update(before)
      this.error = errorOf(thrown)
    }
  }

  dismissed(hint: string): boolean {
    return this.settings.dismissed.includes(hint)
  }

  async dismiss(hint: string): Promise<void> {
    if (!this.dismissed(hint)) await this.change({ dismissed: [...this.settings.dismissed, hint] })
  }

  /** Follows the system where the settings leave it to the system. */
  follow(): () => void {
    const asked = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('(prefers-contrast: more)')]
    const show = () => this.show()
    for (const query of asked) query.addEventListener('change', show)
    return () => {
      for (const query of asked) query.removeEventListener('change', show)
    }
  }

  private show(): void {
    const { theme, density, textSize, language } = this.settings
    const asks = (query: string) => matchMedia(query).matches
    const dark = theme === 'dark' || (theme !== 'light' && asks('(prefers-color-scheme: dark)'))
    const root = document.documentElement
    root.dataset['theme'] = dark ? 'dark' : 'light'
    root.dataset['contrast'] = theme === 'contrast' || asks('(prefers-contrast: more)') ? 'high' : 'normal'
    root.dataset['density'] = density
    root.style.fontSize = `${textSize}%`
    this.spoken = locale.use(language ?? this.systemLanguage)
  }
}
