/** What is being completed: the word at the cursor that begins with a sign. */
export interface Token {
  sign: '@' | ':'
  typed: string
  /** Where the sign stands in the text. */
  start: number
  end: number
}

/** The word at the cursor, if it asks for completion. Code and addresses do not. */
export function tokenAt(text: string, cursor: number): Token | null {
  const before = text.slice(0, cursor)
  const match = /(?:^|[\s(])([@:])([\p{L}\p{M}\p{N}_+.-]{0,32})$/u.exec(before)
  if (!match) return null
  const sign = match[1] as '@' | ':'
  const typed = match[2] ?? ''
  if (sign === ':' && (typed.length < 2 || !/^[\p{L}+]/u.test(typed))) return null
  if (((before.match(/`/g) ?? []).length & 1) === 1) return null
  return { sign, typed, start: cursor - typed.length - 1, end: cursor }
}

/** The text with the token replaced, and where the cursor goes. */
export function complete(text: string, token: Token, by: string): { text: string; cursor: number } {
  const after = text.slice(token.end)
  const gap = after.startsWith(' ') ? '' : ' '
  return {
    text: text.slice(0, token.start) + by + gap + after,
    cursor: token.start + by.length + 1,
  }
}

/** Puts marks around what is selected, or takes them away again. */
export function wrap(
  text: string,
  start: number,
  end: number,
  mark: string,
): { text: string; start: number; end: number } {
  const selected = text.slice(start, end)
  const outside =
    text.slice(start - mark.length, start) === mark && text.slice(end, end + mark.length) === mark
  if (outside)
    return {
      text: text.slice(0, start - mark.length) + selected + text.slice(end + mark.length),
      start: start - mark.length,
      end: end - mark.length,
    }
  return {
    text: text.slice(0, start) + mark + selected + mark + text.slice(end),
    start: start + mark.length,
    end: end + mark.length,
  }
}

/** A text as program text, with a fence that is longer than any in it. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text.replace(/\n$/, '')}\n${fence}\n`
}
