import { describe, expect, it, vi } from 'vitest'
import type { Backend, Person } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { accountOf } from '$lib/backend/fake/people'
import { SearchPeople } from './search-people.svelte'

const person = (handle: string): Person => ({
  account: `acc-${handle}`,
  handle,
  name: handle,
  shown: handle,
  ambiguous: false,
})

describe('SearchPeople', () => {
  it('offers who is known, without those who are not to be offered', async () => {
    const search = new SearchPeople(new FakeBackend({ answerAfterMs: 0 }), 'home', () => [accountOf('mira')])
    await search.look()
    const handles = search.shown.map(({ handle }) => handle)
    expect(handles).toContain('jonas')
    expect(handles).not.toContain('mira')
    expect(search.shown.map(({ shown }) => shown)).toEqual(
      search.shown.map(({ shown }) => shown).toSorted((a, b) => a.localeCompare(b)),
    )
  })

  it('asks the relay, and takes the newest answer alone', async () => {
    const answers: ((people: Person[]) => void)[] = []
    const findPeople: Backend['findPeople'] = () => new Promise((resolve) => answers.push(resolve))
    const search = new SearchPeople(Object.assign(new FakeBackend(), { findPeople }), 'home', () => [])
    search.text = 'a'
    const first = search.look()
    search.text = 'am'
    const second = search.look()
    answers[1]?.([person('amina')])
    answers[0]?.([person('anton')])
    await Promise.all([first, second])
    expect(search.people.map(({ handle }) => handle)).toEqual(['amina'])
  })

  it('says what went wrong', async () => {
    const findPeople = vi.fn<Backend['findPeople']>().mockRejectedValue({ code: 'rateLimited', message: '' })
    const search = new SearchPeople(Object.assign(new FakeBackend(), { findPeople }), 'home', () => [])
    search.text = 'x'
    await search.look()
    expect(search.error?.code).toBe('rateLimited')
    expect(search.busy).toBe(false)
  })
})
