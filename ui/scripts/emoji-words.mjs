// What emoji are called in each language but English, from Unicode's CLDR: one chunk a language, of the picker's emoji alone.
import { existsSync, readFileSync } from 'node:fs'

const ID = 'virtual:emoji-words'
const PACKAGES = new URL('../node_modules/', import.meta.url)

/**
 * Makes the module that `src/lib/components/emoji/words.d.ts` describes.
 *
 * @returns {import('vite').Plugin}
 */
export function emojiWords() {
  return {
    name: 'emoji-words',
    resolveId: (id) => (id === ID || id.startsWith(`${ID}/`) ? `\0${id}` : null),
    load(id) {
      if (id === `\0${ID}`) return loaders()
      if (id.startsWith(`\0${ID}/`))
        return `export default ${JSON.stringify(wordsOf(id.slice(ID.length + 2)))}`
      return null
    },
  }
}

function loaders() {
  const { baseLocale, locales } = read(new URL('../project.inlang/settings.json', import.meta.url))
  const each = locales
    .filter((locale) => locale !== baseLocale)
    .map((locale) => `'${locale}': () => import('${ID}/${locale}')`)
  return `export const words = { ${each.join(', ')} }`
}

/** By emoji: its name, then what else it is found by. Empty for a language that CLDR does not know. */
function wordsOf(locale) {
  const known = annotations(locale)
  const entries = emojiOfPicker().flatMap((emoji) => {
    // CLDR writes them without the selector that asks for colours.
    const { tts: [name] = [], default: keywords = [] } = known[emoji.replaceAll('\uFE0F', '')] ?? {}
    return name ? [[emoji, [name, ...keywords.filter((word) => word !== name)]]] : []
  })
  return Object.fromEntries(entries)
}

/** A region or a script has only what it says otherwise than its language. */
function annotations(locale) {
  const { language, script, region } = new Intl.Locale(locale).maximize()
  const all = {}
  const tags = [language, `${language}-${script}`, `${language}-${region}`, `${language}-${script}-${region}`]
  for (const tag of tags)
    for (const [emoji, said] of [...annotated('', tag), ...annotated('-derived', tag)])
      all[emoji] = { ...all[emoji], ...said }
  return all
}

/** The derived ones are put together of others: flags, couples, people at work. */
function annotated(kind, tag) {
  const key = kind ? 'annotationsDerived' : 'annotations'
  const file = new URL(`cldr-annotations${kind}-full/${key}/${tag}/annotations.json`, PACKAGES)
  return existsSync(file) ? Object.entries(read(file)[key].annotations) : []
}

function emojiOfPicker() {
  return read(new URL('emoji-picker-element-data/en/emojibase/data.json', PACKAGES)).map(({ emoji }) => emoji)
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
