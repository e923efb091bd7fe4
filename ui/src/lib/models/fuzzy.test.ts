import { describe, expect, it } from 'vitest'
import { fit, pieces } from './fuzzy'

const marked = (typed: string, text: string) =>
  pieces(text, fit(typed, text)?.at ?? [])
    .map((piece) => (piece.fits ? `[${piece.text}]` : piece.text))
    .join('')

const score = (typed: string, text: string) => fit(typed, text)?.score ?? Number.NEGATIVE_INFINITY

describe('fit', () => {
  it('finds letters in their order, and only so', () => {
    expect(marked('jw', 'Jonas Weber')).toBe('[J]onas [W]eber')
    expect(fit('wj', 'Jonas Weber')).toBeNull()
    expect(fit('x', 'Jonas Weber')).toBeNull()
  })

  it('prefers a piece as a whole, at the beginning of a word', () => {
    expect(marked('an', 'Hannah an der Elbe')).toBe('Hannah [an] der Elbe')
    expect(score('rel', 'Autumn release')).toBeGreaterThan(score('rel', 'Barrel'))
    expect(score('aut', 'Autumn release')).toBeGreaterThan(score('rel', 'Autumn release'))
  })

  it('does not care for case, marks and spaces around', () => {
    expect(marked(' SOFIA ', 'Sofía Ortega')).toBe('[Sofía] Ortega')
    expect(fit('müller', 'MULLER')).not.toBeNull()
  })

  it('reads all scripts, and letters of two code units', () => {
    expect(marked('晓', '林晓雨')).toBe('林[晓]雨')
    expect(marked('خط', 'عمر الخطيب')).toBe('عمر ال[خط]يب')
    expect(marked('احمد', 'أحـمد ماهر')).toBe('[أح]ـ[مد] ماهر')
    expect(marked('b', '🎉🎉 ab')).toBe('🎉🎉 a[b]')
  })

  it('fits everything when nothing is typed', () => {
    expect(fit('  ', 'Kitchen')).toEqual({ score: 0, at: [] })
  })
})
