import type { Backend } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { lineBy } from '$lib/backend/fake/room'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Composer } from './composer.svelte'

const REF = { profile: 'home', room: 'jonas' }

let backend: Backend
let composer: Composer

beforeEach(() => {
  backend = new FakeBackend({ answerAfterMs: 0, replies: false })
  composer = new Composer(backend, REF, '')
})

describe('a composer', () => {
  it('sends what was written, and is empty then', async () => {
    const send = vi.spyOn(backend, 'send')
    composer.type('  hello ')
    await composer.submit()
    expect(send).toHaveBeenCalledWith('home', 'jonas', 'hello', null, [])
    expect(composer.text).toBe('')
  })

  it('sends nothing but blanks', async () => {
    composer.type(' \n ')
    expect(await composer.submit()).toBe(false)
  })

  it('gives back what was refused', async () => {
    vi.spyOn(backend, 'send').mockRejectedValue({ code: 'tooLong', message: '' })
    composer.type('hello')
    expect(await composer.submit()).toBe(false)
    expect(composer.text).toBe('hello')
    expect(composer.error?.code).toBe('tooLong')
  })

  it('names whom it means', async () => {
    const send = vi.spyOn(backend, 'send')
    const person = { account: 'acc-jonas', handle: 'jonas', name: 'Jonas', shown: 'Jonas', ambiguous: false }
    composer.mention(person)
    composer.mention({ ...person, account: 'acc-teo', handle: 'teo' })
    composer.type('hi @jonas')
    await composer.submit()
    expect(send.mock.lastCall?.[4]).toEqual(['acc-jonas'])
  })

  it('edits without losing the draft', async () => {
    const edit = vi.spyOn(backend, 'edit')
    composer.type('a draft')
    composer.edit({ ...lineBy('acc-mira', 'jonas.2', 0, 'before'), seq: 2 })
    expect(composer.text).toBe('before')
    composer.type('behind')
    await composer.submit()
    expect(edit).toHaveBeenCalledWith('home', 'jonas', 'jonas.2', 'behind')
    expect(composer.text).toBe('a draft')
    expect(composer.mode.kind).toBe('new')
  })

  it('does not edit what was not changed', async () => {
    const edit = vi.spyOn(backend, 'edit')
    composer.edit({ ...lineBy('acc-mira', 'jonas.2', 0, 'before'), seq: 2 })
    await composer.submit()
    expect(edit).not.toHaveBeenCalled()
  })

  it('takes a draft of another device, but never over what is typed', () => {
    composer.adopt('from the phone')
    expect(composer.text).toBe('from the phone')
    composer.type('typed here')
    composer.adopt('from the phone, later')
    expect(composer.text).toBe('typed here')
  })

  it('is not surprised by its own draft, told late', async () => {
    composer.type('half')
    composer.saveDraft()
    composer.type('half a thought')
    await composer.submit()
    composer.adopt('half')
    expect(composer.text).toBe('')
    composer.adopt('')
    composer.adopt('from the phone')
    expect(composer.text).toBe('from the phone')
  })

  it('takes the draft away when it was sent', async () => {
    const setDraft = vi.spyOn(backend, 'setDraft')
    composer.type('half')
    composer.saveDraft()
    await composer.submit()
    expect(setDraft.mock.lastCall?.[2]).toBe('')
  })

  it('keeps a draft once, after a pause', async () => {
    vi.useFakeTimers()
    const setDraft = vi.spyOn(backend, 'setDraft')
    composer.type('a')
    composer.type('ab')
    await vi.advanceTimersByTimeAsync(600)
    expect(setDraft.mock.calls).toEqual([['home', 'jonas', 'ab']])
    vi.useRealTimers()
  })

  it('does not keep the text of an edit as a draft', () => {
    const setDraft = vi.spyOn(backend, 'setDraft')
    composer.edit({ ...lineBy('acc-mira', 'jonas.2', 0, 'before'), seq: 2 })
    composer.type('being edited')
    composer.saveDraft()
    expect(setDraft).not.toHaveBeenCalled()
  })
})
