import { folded } from './folded'

/** How well a text fits what was typed, and which of its letters did. */
export interface Fit {
  score: number
  /** Places of letters, by UTF-16 code unit. */
  at: readonly number[]
}

const WORD_START = 8
const RUN = 6
const LETTER = 1
const GAP_MAX = 3

/**
 * Finds the letters of `typed` in `text`, in their order; `null` if they are not all there. Beginnings of words and letters
 * that stand together count more, marks on letters do not count.
 */
export function fit(typed: string, text: string): Fit | null {
  const wanted = [...folded(typed).replace(/\s+/g, ' ').trim()]
  if (wanted.length === 0) return { score: 0, at: [] }
  const letters = spread(text)
  const whole = letters.flatMap((_, at) =>
    wanted.every((letter, step) => letters[at + step]?.letter === letter) ? [at] : [],
  )
  const [found] = whole
  // The place where a word begins is the better one of several.
  if (found !== undefined)
    return together(letters, whole.find((at) => letters[at]?.starts) ?? found, wanted.length)
  return scattered(letters, wanted)
}

interface Letter {
  letter: string
  at: number
  starts: boolean
}

function together(letters: readonly Letter[], first: number, length: number): Fit {
  const starts = (letters[first]?.starts ? WORD_START * 2 : 0) + (first === 0 ? WORD_START : 0)
  return {
    score: length * (LETTER + RUN) + starts - penalty(letters),
    at: letters.slice(first, first + length).map(({ at }) => at),
  }
}

function scattered(letters: readonly Letter[], wanted: readonly string[]): Fit | null {
  const at: number[] = []
  let score = 0
  let from = 0
  let before = -1
  for (const letter of wanted) {
    if (letter === ' ') continue
    const next = nearest(letters, letter, from, before)
    const hit = letters[next]
    if (!hit) return null
    score += LETTER
    if (hit.starts) score += WORD_START
    if (next === before + 1) score += RUN
    else if (before >= 0 && !hit.starts) score -= Math.min(GAP_MAX, next - before)
    at.push(hit.at)
    before = next
    from = next + 1
  }
  return score > 0 ? { score: score - penalty(letters), at } : null
}

/** The next letter of this kind: at once, else at the beginning of a word, else anywhere. */
function nearest(letters: readonly Letter[], letter: string, from: number, before: number): number {
  if (before >= 0 && letters[from]?.letter === letter) return from
  const start = letters.findIndex((other, at) => at >= from && other.starts && other.letter === letter)
  return start >= 0 ? start : letters.findIndex((other, at) => at >= from && other.letter === letter)
}

function penalty(letters: readonly Letter[]): number {
  return Math.min(4, letters.length / 24)
}

function spread(text: string): Letter[] {
  const letters: Letter[] = []
  let at = 0
  let before = ' '
  for (const letter of text) {
    for (const plain of folded(letter))
      letters.push({
        letter: plain,
        at,
        starts: /[\p{L}\p{N}]/u.test(letter) && !/[\p{L}\p{N}]/u.test(before),
      })
    before = letter
    at += letter.length
  }
  return letters
}

/** A text in pieces that fit and pieces that do not. */
export function pieces(text: string, at: readonly number[]): { text: string; fits: boolean }[] {
  const marked = new Set(at)
  const parts: { text: string; fits: boolean }[] = []
  let place = 0
  for (const letter of text) {
    const fits = marked.has(place)
    const last = parts.at(-1)
    if (last?.fits === fits) last.text += letter
    else parts.push({ text: letter, fits })
    place += letter.length
  }
  return parts
}
