import type { Backend, ProfileId } from '$lib/backend'

const SETTING = 'emoji.skinTone'

/** 0: the yellow ones; 1 to 5: from light to dark, as Unicode numbers them. */
export type Tone = 0 | 1 | 2 | 3 | 4 | 5
export const TONES: readonly Tone[] = [0, 1, 2, 3, 4, 5]

/** The skin tone in which somebody wants hands and people: the same on all devices of the account. */
export class SkinTone {
  value: Tone = $state(0)
  private profile: ProfileId | null = null

  constructor(private readonly backend: Backend) {}

  /** Asks once for each account. */
  async load(profile: ProfileId | null): Promise<void> {
    if (profile === null || profile === this.profile) return
    this.profile = profile
    this.take(profile, await this.backend.setting(profile, SETTING).catch(() => null))
  }

  choose(tone: Tone): void {
    this.value = tone
    if (this.profile !== null)
      void this.backend.setSetting(this.profile, SETTING, String(tone)).catch(() => undefined)
  }

  /** The account has a setting, chosen here or on another device. */
  take(profile: ProfileId, value: string | null, name = SETTING): void {
    if (profile !== this.profile || name !== SETTING) return
    this.value = TONES.find((tone) => String(tone) === value) ?? 0
  }
}
