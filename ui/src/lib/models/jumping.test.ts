import { describe, expect, it } from 'vitest'
import { parseJump, rank, type Target } from './jumping'

const target = (kind: Target['kind'], title: string, over: Partial<Target> = {}): Target => ({
  id: title,
  kind,
  title,
  also: '',
  recent: 0,
  waits: false,
  ...over,
})

const titles = (typed: string, targets: Target[]) =>
  rank(typed, targets).map((group) => group.map((ranked) => ranked.target.title))

describe('rank', () => {
  it('puts what waits first, then what is recent, while nothing is typed', () => {
    const chats = [
      target('chat', 'Old', { recent: 1 }),
      target('chat', 'New', { recent: 3 }),
      target('chat', 'Unread', { recent: 2, waits: true }),
    ]
    expect(titles('', chats)).toEqual([['Unread', 'New', 'Old']])
  })

  it('groups by kind, the kind that fits best first', () => {
    const all = [target('chat', 'Kitchen sink'), target('command', 'Settings'), target('person', 'Sven')]
    expect(titles('', all)).toEqual([['Kitchen sink'], ['Sven'], ['Settings']])
    expect(titles('sett', all)).toEqual([['Settings']])
    expect(titles('s', all)[0]).toEqual(['Sven'])
  })

  it('looks among one kind alone after its sign', () => {
    const all = [target('chat', 'Amina'), target('person', 'Amos'), target('command', 'Add an account')]
    expect(titles('@a', all)).toEqual([['Amos']])
    expect(titles('#', all)).toEqual([['Amina']])
    expect(titles('> acc', all)).toEqual([['Add an account']])
    expect(parseJump('@')).toEqual({ kind: 'person', text: '' })
  })

  it('finds by handle too, but less than by title', () => {
    const all = [target('chat', 'Someone', { also: '@zora' }), target('chat', 'Zora')]
    expect(titles('zora', all)).toEqual([['Zora', 'Someone']])
    expect(rank('zora', all)[0]?.[1]?.at).toEqual([])
  })

  it('shows no more than can be read', () => {
    const many = Array.from({ length: 40 }, (_, at) => target('chat', `Chat ${at}`))
    expect(titles('', many)[0]).toHaveLength(8)
  })
})
