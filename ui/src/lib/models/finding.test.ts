import { describe, expect, it, vi } from 'vitest'
import type { Backend, Found, Hit } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { Finding } from './finding.svelte'

const hit = (id: string, at: number): Hit => ({
  profile: 'home',
  room: 'launch',
  id,
  seq: at,
  sender: 'acc-jonas',
  senderShown: 'Jonas',
  at,
  before: '',
  found: 'x',
  after: '',
})
const found = (hits: Hit[], more = false): Found => ({
  hits,
  more,
  reach: { oldestAt: 1, messages: 10, complete: false },
})

function searched(find: Backend['find']): Finding {
  return new Finding(Object.assign(new FakeBackend({ answerAfterMs: 0 }), { find }))
}

describe('Finding', () => {
  it('finds in one chat, then everywhere, and says how far it reaches', async () => {
    const finding = new Finding(new FakeBackend({ answerAfterMs: 0 }))
    finding.lookIn({ profile: 'home', room: 'launch' })
    finding.text = 'the'
    await finding.look()
    const here = finding.hits.length
    expect(here).toBeGreaterThan(0)
    expect(finding.reach?.complete).toBe(true)
    finding.lookIn(null)
    await vi.waitFor(() => expect(finding.hits.length).toBeGreaterThan(here))
    expect(finding.reach?.complete).toBe(false)
  })

  it('takes the newest question alone, whatever answers last', async () => {
    const answers: ((found: Found) => void)[] = []
    const finding = searched(() => new Promise((resolve) => answers.push(resolve)))
    finding.text = 'first'
    const first = finding.look()
    finding.text = 'second'
    const second = finding.look()
    answers[1]?.(found([hit('new', 2)]))
    answers[0]?.(found([hit('old', 1)]))
    await Promise.all([first, second])
    expect(finding.hits.map(({ id }) => id)).toEqual(['new'])
    expect(finding.found).toBe('second')
    expect(finding.busy).toBe(false)
  })

  it('goes on where the oldest hit stands', async () => {
    const find = vi
      .fn<Backend['find']>()
      .mockResolvedValueOnce(found([hit('b', 9), hit('a', 5)], true))
      .mockResolvedValueOnce(found([hit('z', 3)]))
    const finding = searched(find)
    finding.text = 'xy'
    await finding.look()
    await finding.loadMore()
    expect(find.mock.calls[1]?.[3]).toBe(5)
    expect(finding.hits.map(({ id }) => id)).toEqual(['b', 'a', 'z'])
    expect(finding.more).toBe(false)
  })

  it('waits for a second letter, except where one is a word', async () => {
    const find = vi.fn<Backend['find']>().mockResolvedValue(found([]))
    const finding = searched(find)
    finding.text = 'x'
    await finding.look()
    expect(find).not.toHaveBeenCalled()
    finding.text = '雨'
    await finding.look()
    expect(find).toHaveBeenCalledOnce()
  })

  it('says what went wrong, and forgets old hits', async () => {
    const find = vi
      .fn<Backend['find']>()
      .mockResolvedValueOnce(found([hit('a', 1)]))
      .mockRejectedValueOnce({ code: 'storage', message: 'disk' })
    const finding = searched(find)
    finding.text = 'ab'
    await finding.look()
    await finding.look()
    expect(finding.error?.code).toBe('storage')
    expect(finding.hits).toEqual([])
  })
})
