import { languages, type Locale } from '$lib/i18n'
import { describe, expect, it } from 'vitest'
import { emojiOf, searchEmoji } from './data'

const found = async (locale: Locale, typed: string, limit = 6) =>
  searchEmoji(await emojiOf(locale), typed, limit).map(({ emoji }) => emoji)

const nameOf = async (locale: Locale, emoji: string) =>
  (await emojiOf(locale)).find((one) => one.emoji === emoji)?.name

describe('emoji', () => {
  it.each(languages().filter(({ locale }) => locale !== 'en'))('have names in $name', async ({ locale }) => {
    const english = await emojiOf('en')
    const here = await emojiOf(locale)
    expect(here.map(({ emoji }) => emoji)).toEqual(english.map(({ emoji }) => emoji))
    const own = here.filter(({ name }, at) => name !== english[at]?.name)
    expect(own.length / here.length).toBeGreaterThan(0.95)
  })

  it('are named as CLDR has them, also those that are put together of others', async () => {
    expect(await nameOf('en', '🚀')).toBe('rocket')
    expect(await nameOf('de', '❤️')).toBe('rotes Herz')
    expect(await nameOf('zh-CN', '🚀')).toBe('火箭')
    expect(await nameOf('ar', '🚀')).toBe('صاروخ')
    expect(await nameOf('ar', '🇸🇾')).toBe('علم: سوريا')
    expect(await nameOf('ar', '👩‍🚒')).toBe('سيدة إطفاء')
  })

  it('are found by words of the language, and by English ones', async () => {
    expect(await found('ar', 'صاروخ', 1)).toEqual(['🚀'])
    expect(await found('ar', 'رمضان')).toContain('🕌')
    expect(await found('ar', ':rocket:', 1)).toEqual(['🚀'])
    expect(await found('ar', 'tada', 1)).toEqual(['🎉'])
    expect(await found('de', 'Weltraum')).toContain('🚀')
    expect(await found('zh-CN', '拉炮')).toContain('🎉')
  })

  it.each([
    ['ar', 'قهوه', '☕'],
    ['ar', 'ابهام', '👍'],
    ['ar', 'إحتفالٌ', '🥳'],
    ['ar', 'صـــاروخ', '🚀'],
    ['de', 'trane', '🥲'],
  ] as const)('in %s, %s is found without marks and whatever its spelling', async (locale, typed, emoji) => {
    expect(await found(locale, typed)).toContain(emoji)
  })

  it('come first by their whole name or code, last by what is inside of a word', async () => {
    expect(await found('ar', 'شمس', 1)).toEqual(['☀️'])
    expect(await found('de', 'Katze', 1)).toEqual(['🐈'])
    expect(await found('en', 'thumb', 2)).toEqual(['👍', '👎'])
    // Love, and not the face whose name has these letters.
    expect(await found('ar', 'حب')).toContain('💌')
    expect(await found('ar', 'حب', 20)).not.toContain('😞')
  })

  it('are not found by nothing', async () => {
    expect(await found('ar', ' ـ '.trim())).toEqual([])
    expect(await found('en', ':')).toEqual([])
  })
})
