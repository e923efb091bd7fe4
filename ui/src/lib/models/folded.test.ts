import { describe, expect, it } from 'vitest'
import { folded } from './folded'

describe('folded', () => {
  it.each([
    ['Müller', 'muller'],
    ['ΟΔΌΣ', 'οδος'],
    ['林晓雨', '林晓雨'],
    ['أحمد إبراهيم آدم', 'احمد ابراهيم ادم'],
    ['مَرْحَبًا', 'مرحبا'],
    ['عـــلم', 'علم'],
    ['مؤتمر طوارئ', 'موتمر طواري'],
    ['قهوة منى', 'قهوه مني'],
  ])('%s is %s', (text, plain) => {
    expect(folded(text)).toBe(plain)
  })
})
