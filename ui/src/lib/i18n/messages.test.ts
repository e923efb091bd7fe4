import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { m } from './index'
import { locale, nearest } from './locale.svelte'

type Messages = Record<string, string | { match: Record<string, string> }[]>

const load = (language: string) => JSON.parse(readFileSync(`messages/${language}.json`, 'utf8')) as Messages
const english = load('en')

const texts = (message: Messages[string] | undefined): string[] =>
  typeof message === 'string' ? [message] : (message ?? []).flatMap((variant) => Object.values(variant.match))

const inputs = (message: Messages[string] | undefined) =>
  new Set(texts(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))

describe.each(['de', 'zh-CN', 'ar'])('messages in %s', (language) => {
  const messages = load(language)

  it('are all there, and no others', () => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(english).sort())
  })

  it('use only what they are given', () => {
    for (const [key, message] of Object.entries(messages))
      for (const input of inputs(message)) expect([...inputs(english[key])], key).toContain(input)
  })

  it('have each form of number that the language has', () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message === 'string') continue
      for (const variant of message)
        expect(
          Object.keys(variant.match)
            .map((match) => match.split('=')[1])
            .sort(),
          key,
        ).toEqual([...forms].sort())
    }
  })
})

describe('the language', () => {
  it('is the nearest one that there is', () => {
    expect(nearest('de-AT')).toBe('de')
    expect(nearest('zh-TW')).toBe('zh-CN')
    expect(nearest('tlh')).toBe('en')
  })

  it('changes what messages say, and the direction', async () => {
    await locale.use('ar')
    expect(m.you()).toBe('أنت')
    expect(document.documentElement.dir).toBe('rtl')
    await locale.use('en')
    expect(m.you()).toBe('You')
    expect(document.documentElement.dir).toBe('ltr')
  })
})
