import type { Locale } from '$lib/i18n'
import { folded } from '$lib/models/folded'
import { words } from 'virtual:emoji-words'

export interface Emoji {
  emoji: string
  name: string
  group: number
  shortcodes: readonly string[]
  /** The name and more words, as they are searched for. */
  sought: { name: string; tags: readonly string[] }
  /** The same from light to dark skin, where there is skin. */
  skins: readonly string[]
}

interface Raw {
  emoji: string
  annotation: string
  group?: number
  shortcodes?: string[]
  tags?: string[]
  version: number
  skins?: { emoji: string; tone: number | number[] }[]
}

/** Newer ones would be empty boxes on many computers. */
const VERSION_MAX = 15

/** The groups that a picker shows, in their order; numbered as Unicode's data has them. */
export const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9] as const

const loaded = new Map<Locale, Promise<readonly Emoji[]>>()

/** All emoji with names in a language, and with the English short codes and words that everybody types. */
export function emojiOf(locale: Locale): Promise<readonly Emoji[]> {
  let list = loaded.get(locale)
  if (!list) {
    list = load(locale)
    loaded.set(locale, list)
  }
  return list
}

async function load(locale: Locale): Promise<readonly Emoji[]> {
  const [english, local] = await Promise.all([
    import('emoji-picker-element-data/en/emojibase/data.json'),
    words[locale]?.(),
  ])
  return (english.default as Raw[]).flatMap((entry) => {
    if (entry.group === undefined || entry.group === 2 || entry.version > VERSION_MAX) return []
    const [name = entry.annotation, ...tags] = local?.default[entry.emoji] ?? []
    return {
      emoji: plain(entry.emoji),
      name,
      group: entry.group,
      shortcodes: entry.shortcodes ?? [],
      sought: {
        name: folded(name),
        tags: [entry.annotation, ...(entry.tags ?? []), ...tags].map(folded),
      },
      skins: (entry.skins ?? []).filter(({ tone }) => !Array.isArray(tone)).map(({ emoji }) => emoji),
    }
  })
}

/** Without the selector that some lists put behind what is an emoji anyway: two spellings would be two reactions. */
function plain(emoji: string): string {
  return emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')
}

/** An emoji as somebody of this skin tone wants it; 0: as it is. */
export function toned({ emoji, skins }: Emoji, tone: number): string {
  return skins[tone - 1] ?? emoji
}

/** Those that fit what was typed, the best first. */
export function searchEmoji(all: readonly Emoji[], typed: string, limit: number): Emoji[] {
  const wanted = folded(typed).replace(/^:|:$/g, '')
  if (wanted === '') return []
  const ranked: { emoji: Emoji; rank: number }[] = []
  for (const emoji of all) {
    const rank = rankOf(emoji, wanted)
    if (rank < UNFIT) ranked.push({ emoji, rank })
  }
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ emoji }) => emoji)
}

/** Where words begin counts more than what is inside of them. */
function rankOf({ shortcodes, sought }: Emoji, wanted: string): number {
  if (shortcodes.includes(wanted) || sought.name === wanted) return 0
  if (shortcodes.some((code) => code.startsWith(wanted))) return 1
  if (` ${sought.name}`.includes(` ${wanted}`)) return 2
  if (sought.tags.some((tag) => tag.startsWith(wanted))) return 3
  return sought.name.includes(wanted) || shortcodes.some((code) => code.includes(wanted)) ? 4 : UNFIT
}

const UNFIT = 5
