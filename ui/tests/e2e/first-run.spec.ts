import { expect, test } from './kith'

const INVITE = 'kith://join?relay=kith.lindqvist.example&token=Q4Z71001&pin=3f1a9c7742d0'

test('an invite, a name, and a chat that holds a message already', async ({ kith, page }) => {
  await kith.open('&empty')
  await kith.isAccessible()
  const link = page.getByLabel('Invite or link code')
  await expect(link).toBeFocused()
  await link.fill(INVITE)
  await expect(page.getByText('An invite to this relay')).toBeVisible()
  await kith.isAccessible()
  await page.getByLabel('Your name').fill('Mira')
  await page.getByLabel('Your name').press('Enter')
  await expect(page.getByRole('heading', { name: 'Autumn release', level: 1 })).toBeVisible()
  await expect(kith.lines.first()).toBeVisible()
})

test('this computer has a name, and gets another one if somebody wants to', async ({ kith, page }) => {
  await kith.open('&empty')
  await page.getByLabel('Invite or link code').fill(INVITE)
  await page.getByLabel('Your name').fill('Mira')
  await expect(page.getByText('This computer will be called “Laptop”')).toBeVisible()
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await expect(page.getByLabel('Name of this computer')).toBeFocused()
  await kith.isAccessible()
  await page.keyboard.type('Desk at home')
  await page.keyboard.press('Enter')
  await expect(kith.lines.first()).toBeVisible()
  await page.keyboard.press('Control+,')
  await page.getByRole('tab', { name: 'Devices' }).click()
  await expect(page.getByRole('tabpanel').getByText('Desk at home')).toBeVisible()
})

for (const [code, words] of [
  ['expired', 'has expired'],
  ['inviteUsed', 'was used up'],
  ['unreachable', 'cannot be reached'],
  ['wrongClock', 'clock of this computer is wrong'],
  ['untrustedCertificate', 'certificate is not the one'],
  ['handleTaken', 'Somebody else has that handle'],
] as const)
  test(`says clearly that the answer was ${code}`, async ({ kith, page }) => {
    await kith.open('&empty')
    await page.getByLabel('Invite or link code').fill(`${INVITE}${code}`)
    await page.getByLabel('Your name').fill('Mira')
    await page.getByRole('button', { name: 'Join', exact: true }).click()
    await expect(page.getByRole('alert')).toContainText(words)
    await kith.isAccessible()
  })

test('the clipboard fills the field when it holds an invite', async ({ kith, page }) => {
  await kith.open('&empty')
  await kith.fake((fake, invite) => (fake.clipboard = invite), INVITE)
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await expect(page.getByLabel('Invite or link code')).toHaveValue(INVITE)
  await expect(page.getByText('Taken from your clipboard')).toBeVisible()
})

test('a link from outside opens here, beside the accounts that there are', async ({ kith, page }) => {
  await kith.open()
  await kith.fake((fake, text) => fake.tell([{ kind: 'link', text }]), INVITE)
  await expect(page.getByRole('heading', { name: 'Add an account' })).toBeVisible()
  await expect(page.getByLabel('Invite or link code')).toHaveValue(INVITE)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('heading', { name: 'Add an account' })).toBeHidden()
})

test('this computer is linked after six digits were compared', async ({ kith, page }) => {
  await kith.open('&empty')
  await kith.fake((fake) => fake.holdOtherDevice())
  await page.getByText('I already have an account').click()
  await page
    .getByLabel('Link or code from your other device')
    .fill('kith://link?relay=kith.lindqvist.example&code=K7')
  await page.getByRole('button', { name: 'Link this computer' }).click()
  await expect(page.getByRole('img', { name: '4 8 1 9 2 0' })).toBeVisible()
  await kith.fake((fake) => fake.confirmOnOtherDevice())
  await expect(page.locator('[data-room]').first()).toBeVisible()
})

test('an account comes back with its recovery key, and the new key is shown until it is written down', async ({
  kith,
  page,
}) => {
  await kith.open('&empty')
  await page.getByText('I already have an account').click()
  await page.getByRole('button', { name: 'No device left?' }).click()
  await page.getByLabel('Recovery key').fill('WRONG')
  await page.getByLabel('Address of the relay').fill('kith.lindqvist.example')
  await page.getByRole('button', { name: 'Recover my account' }).click()
  await expect(page.getByRole('alert')).toContainText('no account with this key')
  await page.getByLabel('Recovery key').fill('7KQ2M-XH9DR')
  await page.getByRole('button', { name: 'Recover my account' }).click()
  await expect(page.getByText('7KQ2M-XH9DR-TBWV4')).toBeVisible()
  await kith.isAccessible()
  await page.keyboard.press('Escape')
  await expect(page.getByText('7KQ2M-XH9DR-TBWV4')).toBeVisible()
  await page.getByRole('button', { name: 'I have written it down' }).click()
  await expect(page.locator('[data-room]').first()).toBeVisible()
})

test('reads well at 200 % and in the dark', async ({ kith, page }) => {
  await page.emulateMedia({ colorScheme: 'dark' })
  await kith.open('&empty')
  await expect(page.locator('form')).toBeVisible()
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
  await kith.isAccessible()
  await expect(page.getByRole('button', { name: 'Join', exact: true })).toBeVisible()
  expect(await page.evaluate(() => (document.querySelector('main')?.scrollWidth ?? 0) <= innerWidth)).toBe(
    true,
  )
})
