import { describe, expect, it } from 'vitest'
import { complete, fenced, tokenAt, wrap } from './completion'

describe('completion', () => {
  it.each([
    ['hi @jo', '@', 'jo'],
    ['@', '@', ''],
    ['(@am', '@', 'am'],
    ['so :smi', ':', 'smi'],
    ['@ämi', '@', 'ämi'],
    [':مَرحبًا', ':', 'مَرحبًا'],
  ])('finds what is begun in %j', (text, sign, typed) => {
    expect(tokenAt(text, text.length)).toMatchObject({ sign, typed })
  })

  it.each(['mail@example', 'at 10:30', 'http://x', ':)', ': a', '`@jo', 'done @jo '])(
    'leaves %j alone',
    (text) => {
      expect(tokenAt(text, text.length)).toBeNull()
    },
  )

  it('replaces the word, and sets one blank', () => {
    const token = tokenAt('hi @jo there', 6)
    expect(token && complete('hi @jo there', token, '@jonas')).toEqual({
      text: 'hi @jonas there',
      cursor: 10,
    })
  })

  it('wraps and unwraps', () => {
    const wrapped = wrap('make bold', 5, 9, '**')
    expect(wrapped.text).toBe('make **bold**')
    expect(wrap(wrapped.text, wrapped.start, wrapped.end, '**').text).toBe('make bold')
  })

  it('fences with more backticks than the text has', () => {
    expect(fenced('a ``` b')).toBe('````\na ``` b\n````\n')
  })
})
