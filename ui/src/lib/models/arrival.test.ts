import { describe, expect, it, vi } from 'vitest'
import type { Backend, ErrorCode } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { accountOf } from '$lib/backend/fake/people'
import { Arrival, firstRoom, isCode } from './arrival.svelte'

const INVITE = 'kith://join?relay=kith.lindqvist.example&token=Q4Z71001'
const LINK = 'kith://link?relay=kith.lindqvist.example&code=K7QM2XHD9R'
const CODE = 'K7QM2-XHD9R-TBWV4-PZC6N-3YJ8A-L'

function arriving(over: Partial<Backend> = {}) {
  const backend = Object.assign(new FakeBackend({ empty: true, answerAfterMs: 0 }), over)
  return { backend, arrival: new Arrival(backend) }
}

const refusing = (code: ErrorCode) => () => Promise.reject({ code, message: code })

describe('Arrival', () => {
  it('joins with an invite and a name', async () => {
    const { backend, arrival } = arriving()
    await arrival.read(INVITE)
    expect(arrival.ready).toBe(false)
    arrival.name = 'Mira'
    expect(arrival.ready).toBe(true)
    await arrival.submit()
    expect(arrival.stage).toBe('arrived')
    expect(await firstRoom(backend, arrival.arrived ?? { profile: '', room: null })).toBe('home/launch')
  })

  it('calls this computer as it was told to, else as it calls itself', async () => {
    const join = vi.fn<Backend['join']>().mockResolvedValue({ profile: 'home', room: null })
    const arrival = new Arrival(Object.assign(new FakeBackend({ answerAfterMs: 0 }), { join }), 'laptop-7')
    await arrival.read(INVITE)
    arrival.name = 'Mira'
    arrival.deviceName = ' Desk at home '
    await arrival.submit()
    arrival.stage = 'asking'
    arrival.deviceName = ' '
    await arrival.submit()
    expect(join.mock.calls.map((call) => call[4])).toEqual(['Desk at home', null])
  })

  it('turns to the way that a link opens', async () => {
    const { arrival } = arriving()
    await arrival.read(LINK)
    expect(arrival.way).toBe('link')
    await arrival.read(INVITE)
    expect(arrival.way).toBe('join')
  })

  it('asks where the relay is for a code alone', async () => {
    const linkDevice = vi.fn<Backend['linkDevice']>().mockResolvedValue({ profile: 'home', room: null })
    const { arrival } = arriving({ linkLook: refusing('notALink'), linkDevice })
    await arrival.read(CODE)
    expect(arrival.way).toBe('link')
    expect(arrival.codeAlone).toBe(true)
    expect(arrival.error).toBeNull()
    expect(arrival.ready).toBe(false)
    arrival.relay = 'kith.example.org'
    await arrival.submit()
    expect(linkDevice.mock.calls[0]?.slice(0, 2)).toEqual([CODE, 'kith.example.org'])
  })

  it('says nothing of a half typed link, but of a whole one that is damaged', async () => {
    const { arrival } = arriving()
    await arrival.read('kith:/')
    expect(arrival.error).toBeNull()
    await arrival.read('kith://nothing-of-the-kind')
    expect(arrival.errorAt('link')?.code).toBe('damagedLink')
  })

  it('takes what the clipboard holds, unless something was written or it is an invite of one’s own', async () => {
    const { backend, arrival } = arriving()
    backend.clipboard = INVITE
    await arrival.readClipboard((account) => account === accountOf('jonas'))
    expect(arrival.text).toBe('')
    await arrival.readClipboard()
    expect(arrival.text).toBe(INVITE)
    expect(arrival.fromClipboard).toBe(true)
    backend.clipboard = LINK
    await arrival.readClipboard()
    expect(arrival.text).toBe(INVITE)
  })

  it.each([
    ['expired', 'link'],
    ['inviteUsed', 'link'],
    ['handleTaken', 'handle'],
    ['unreachable', 'all'],
    ['wrongClock', 'all'],
    ['untrustedCertificate', 'all'],
  ] as const)('puts %s where something can be done about it', async (code, field) => {
    const { arrival } = arriving({ join: refusing(code) })
    await arrival.read(INVITE)
    arrival.name = 'Mira'
    await arrival.submit()
    expect(arrival.stage).toBe('asking')
    expect(arrival.errorAt(field)?.code).toBe(code)
    expect(arrival.choosesHandle).toBe(code === 'handleTaken')
  })

  it('asks for a passphrase where there is no key store, and goes on with it', async () => {
    const join = vi
      .fn<Backend['join']>()
      .mockRejectedValueOnce({ code: 'passphraseNeeded', message: '' })
      .mockResolvedValueOnce({ profile: 'home', room: null })
    const { arrival } = arriving({ join })
    await arrival.read(INVITE)
    arrival.name = 'Mira'
    await arrival.submit()
    expect(arrival.stage).toBe('passphrase')
    arrival.passphrase = 'a long one'
    arrival.again = 'another'
    await arrival.protect(false)
    expect(join).toHaveBeenCalledOnce()
    arrival.again = 'a long one'
    await arrival.protect(false)
    expect(join.mock.calls[1]?.[3]).toEqual({ kind: 'passphrase', passphrase: 'a long one' })
    expect(arrival.stage).toBe('arrived')
  })

  it('shows six digits while the other device confirms, and can be given up', async () => {
    const { arrival } = arriving({
      linkDevice: (_link, _relay, _key, _deviceName, steps) =>
        new Promise((_resolve, reject) => {
          steps({ kind: 'digits', digits: '481920', handle: 'mira' })
          cancel = () => reject({ code: 'cancelled', message: '' })
        }),
      linkCancel: () => {
        cancel()
        return Promise.resolve(null)
      },
    })
    let cancel: () => void = () => undefined
    await arrival.read(LINK)
    const submitted = arrival.submit()
    expect(arrival.stage).toBe('digits')
    expect(arrival.digits?.digits).toBe('481920')
    await arrival.cancel()
    await submitted
    expect(arrival.stage).toBe('asking')
    expect(arrival.error).toBeNull()
    expect(arrival.digits).toBeNull()
  })

  it('shows the new recovery key before it goes on', async () => {
    const { arrival } = arriving()
    arrival.go('recover')
    arrival.recoveryKey = '7KQ2M'
    arrival.relay = 'kith.example.org'
    await arrival.submit()
    expect(arrival.stage).toBe('recoveryKey')
    expect(arrival.newRecoveryKey).not.toBeNull()
    arrival.wroteDown()
    expect(arrival.stage).toBe('arrived')
    expect(arrival.newRecoveryKey).toBeNull()
  })

  it('knows a code when it sees one', () => {
    expect(isCode(CODE)).toBe(true)
    expect(isCode('K7QM2 XHD9R')).toBe(false)
  })
})
