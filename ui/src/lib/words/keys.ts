import type { Boot } from '$lib/backend'
import { m } from '$lib/i18n'

const MAC: Record<string, string> = { Ctrl: '⌘', Shift: '⇧', Alt: '⌥' }

/** The names of keys as they stand on this keyboard: `Ctrl` is ⌘ on a Mac, and "Strg" in German. */
export function keyNames(platform: Boot['platform'], chord: string): string[] {
  const here: Record<string, string> =
    platform === 'macos' ? MAC : { Ctrl: m.key_ctrl(), Shift: m.key_shift(), Alt: m.key_alt() }
  return chord.split('+').map((key) => here[key] ?? (key === 'Enter' ? m.key_enter() : key))
}

/** The same in one word: `Ctrl+Shift+F`, `⌘⇧F`. */
export function keyWords(platform: Boot['platform'], chord: string): string {
  return keyNames(platform, chord).join(platform === 'macos' ? '' : '+')
}
