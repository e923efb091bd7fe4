import { describe, expect, it } from 'vitest'
import { bytesOf, partsOf } from './parts'

const bytes = (text: string) => new TextEncoder().encode(text).length

describe('a text in parts', () => {
  it('is one part if it fits', () => {
    expect(partsOf('  short ', 10)).toEqual(['short'])
    expect(partsOf('', 10)).toEqual([])
    expect(bytesOf('a'.repeat(5000))).toBe(5000)
    expect(bytesOf('林'.repeat(5000))).toBe(15_000)
  })

  it('is cut between paragraphs, else lines, else words', () => {
    expect(partsOf('one two\n\nthree four', 14)).toEqual(['one two', 'three four'])
    expect(partsOf('one two\nthree four', 11)).toEqual(['one two', 'three four'])
    expect(partsOf('one two three', 9)).toEqual(['one two', 'three'])
  })

  it('loses nothing, and every part fits', () => {
    const words = Array.from({ length: 400 }, (_, n) => `word${n}${'\n'.repeat(n % 3)}`).join(' ')
    const parts = partsOf(words, 300)
    expect(parts.every((part) => bytes(part) <= 300)).toBe(true)
    expect(parts.join(' ').split(/\s+/)).toEqual(words.split(/\s+/))
  })

  it('tears no letter', () => {
    const family = '👨‍👩‍👧‍👦'
    const parts = partsOf(family.repeat(20), 100)
    expect(parts.join('')).toBe(family.repeat(20))
    for (const part of parts) expect(part.replaceAll(family, '')).toBe('')
  })

  it('cuts even what has no borders at all', () => {
    const parts = partsOf('x'.repeat(1000), 64)
    expect(parts.join('')).toBe('x'.repeat(1000))
    expect(parts.every((part) => bytes(part) <= 64)).toBe(true)
  })
})
