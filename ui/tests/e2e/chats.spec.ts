import { expect, test } from './kith'

test('filters; the open chat stays in sight', async ({ kith, page }) => {
  await kith.open()
  await page.getByRole('button', { name: 'Groups', exact: true }).click()
  await expect(page.locator('[data-room="home/jonas"]')).toBeHidden()
  await page.getByRole('button', { name: 'Unread', exact: true }).click()
  // Three that are unread, and the one that is open.
  await expect(page.locator('[data-room]')).toHaveCount(4)
  await page.locator('body').press('Shift+Escape')
  await expect(page.locator('[data-room]')).toHaveCount(1)
  await page.getByRole('button', { name: 'All', exact: true }).click()
  await expect(page.locator('[data-room="home/jonas"]')).toBeVisible()
})

test('one account alone, or all in one list', async ({ kith, page }) => {
  await kith.open()
  await page.getByRole('button', { name: 'Your account and settings' }).click()
  await page.getByRole('menuitemradio', { name: /chat.fjord.example/ }).click()
  await expect(page.locator('[data-room^="home/"]')).toHaveCount(0)
  await expect(page.locator('[data-room^="work/"]')).toHaveCount(2)
})

test('pin, mute and mark read from the menu', async ({ kith, page }) => {
  await kith.open()
  const row = page.locator('[data-room="home/amina"]')
  await row.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Pin to the top' }).click()
  await expect(row).toHaveAccessibleName(/pinned/)
  await row.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Mark as read' }).click()
  await expect(row).not.toHaveAccessibleName(/unread/)
  await row.click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Mute, except mentions' }).click()
  await expect(row).toHaveAccessibleName(/muted/)
})

test('dragged among the pinned ones, a chat is pinned', async ({ kith, page }) => {
  await kith.open()
  await page.locator('[data-room="home/jonas"]').dragTo(page.locator('[data-room="home/launch"]'))
  await expect(page.locator('[data-room="home/jonas"]')).toHaveAccessibleName(/pinned/)
})

test('keys move between chats and regions', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await page.keyboard.press('Alt+ArrowDown')
  await expect(page.locator('[aria-current="true"]')).toHaveAttribute('data-room', 'work/design')
  await page.keyboard.press('Alt+Shift+ArrowDown')
  await expect(page.locator('[aria-current="true"]')).toHaveAttribute('data-room', 'home/amina')
  await expect(kith.field).toBeFocused()
  await page.keyboard.press('F6')
  await expect(page.locator('[data-room="home/amina"]')).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(page.locator('[data-room="home/jonas"]')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(kith.field).toBeFocused()
})

test('who is writing shows in the list and above the chat, and ends', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.fake((fake) => fake.typingBy('jonas', 'jonas'))
  await expect(page.getByText('Jonas Weber is writing…')).toHaveCount(2)
  await page.clock.runFor(7000)
  await expect(page.getByText('Jonas Weber is writing…')).toHaveCount(0)
})

test('a new message in the open chat is announced', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.fake((fake) => fake.receive('jonas', 'jonas', 'Did you hear that?'))
  await expect(
    page.locator('[aria-live="polite"]').filter({ hasText: 'Jonas Weber: Did you hear that?' }),
  ).toHaveCount(1)
})

test('the window that is made anew looks as the last one did', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.fill('half a sentence')
  await page.clock.runFor(1500)
  // The shell keeps draft and place; here the pretended one is handed over.
  const kept = await page.evaluate(() => (window.fake as unknown as { place: string }).place)
  expect(JSON.parse(kept)).toMatchObject({ room: 'home/jonas' })
})

test('an account that is locked asks for its passphrase', async ({ kith, page }) => {
  await kith.open()
  const third = { id: 'third', me: null, connection: { kind: 'connecting' }, troubles: [], outbox: 0 }
  const tell = (state: unknown) =>
    page.evaluate((profile) => window.fake.tell([{ kind: 'profile', profile }]), { ...third, state })
  await tell({ kind: 'locked' })
  await page.getByLabel('Passphrase').fill('correct horse')
  await kith.isAccessible()
  await page.getByRole('button', { name: 'Unlock' }).click()
  await expect(page.getByLabel('Passphrase')).toHaveValue('')
  await tell({ kind: 'failed', error: { code: 'keyLost', message: '' } })
  await expect(page.getByText('The key of this account is gone')).toBeVisible()
  await page.getByRole('button', { name: 'Try again' }).click()
})
