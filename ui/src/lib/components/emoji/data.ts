import type { Locale } from '$lib/i18n'

export interface Emoji {
  emoji: string
  name: string
  group: number
  shortcodes: readonly string[]
  tags: readonly string[]
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

const LOADERS: Record<string, () => Promise<{ default: unknown }>> = {
  en: () => import('emoji-picker-element-data/en/emojibase/data.json'),
  de: () => import('emoji-picker-element-data/de/cldr/data.json'),
  'zh-CN': () => import('emoji-picker-element-data/zh/emojibase/data.json'),
}

const loaded = new Map<string, Promise<readonly Emoji[]>>()

/** All emoji with names in a language, and with the English short codes that everybody types. */
export function emojiOf(locale: Locale): Promise<readonly Emoji[]> {
  const language = Object.hasOwn(LOADERS, locale) ? locale : 'en'
  let list = loaded.get(language)
  if (!list) {
    list = load(language)
    loaded.set(language, list)
  }
  return list
}

async function load(language: string): Promise<readonly Emoji[]> {
  const [english, local] = await Promise.all([raw('en'), language === 'en' ? null : raw(language)])
  const names = new Map(local?.map((entry) => [plain(entry.emoji), entry]))
  return english.flatMap((entry) => {
    if (entry.group === undefined || entry.group === 2 || entry.version > VERSION_MAX) return []
    const emoji = plain(entry.emoji)
    const here = names.get(emoji)
    return {
      emoji,
      name: here?.annotation ?? entry.annotation,
      group: entry.group,
      shortcodes: entry.shortcodes ?? [],
      skins: (entry.skins ?? []).filter(({ tone }) => !Array.isArray(tone)).map(({ emoji }) => emoji),
      tags: [...(entry.tags ?? []), ...(here?.tags ?? []), ...(here ? [entry.annotation] : [])],
    }
  })
}

/** Without the selector that some lists put behind what is an emoji anyway: two spellings would be two reactions. */
function plain(emoji: string): string {
  return emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')
}

async function raw(language: string): Promise<Raw[]> {
  return (await LOADERS[language]?.())?.default as Raw[]
}

/** An emoji as somebody of this skin tone wants it; 0: as it is. */
export function toned({ emoji, skins }: Emoji, tone: number): string {
  return skins[tone - 1] ?? emoji
}

/** Those that fit what was typed, the best first. */
export function searchEmoji(all: readonly Emoji[], typed: string, limit: number): Emoji[] {
  const wanted = typed.toLowerCase().replace(/^:|:$/g, '')
  if (wanted === '') return []
  const ranked: { emoji: Emoji; rank: number }[] = []
  for (const emoji of all) {
    const rank = rankOf(emoji, wanted)
    if (rank < 4) ranked.push({ emoji, rank })
  }
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ emoji }) => emoji)
}

function rankOf({ shortcodes, tags, name }: Emoji, wanted: string): number {
  if (shortcodes.includes(wanted)) return 0
  if (shortcodes.some((code) => code.startsWith(wanted))) return 1
  if (name.toLowerCase().includes(wanted) || shortcodes.some((code) => code.includes(wanted))) return 2
  return tags.some((tag) => tag.startsWith(wanted)) ? 3 : 4
}
