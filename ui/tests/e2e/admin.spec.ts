import { expect, test, type Kith } from './kith'

async function page(kith: Kith, name: string) {
  await kith.open()
  await kith.page.keyboard.press('Control+,')
  await kith.page.getByRole('tab', { name }).click()
  return kith.page.getByRole('tabpanel')
}

test('an integration: made, its address shown once and copied, revoked', async ({ kith, page: view }) => {
  const panel = await page(kith, 'Integrations')
  await expect(panel.getByRole('button', { name: 'Make integration' })).toBeDisabled()
  await panel.getByLabel('Name').fill('Nightly build')
  await panel.getByRole('button', { name: 'Make integration' }).click()
  const made = panel.getByRole('region', { name: '“Nightly build” is ready' })
  await expect(made.getByRole('group', { name: 'Address' })).toContainText('/v1/hooks/')
  await made.getByRole('button', { name: 'Copy' }).first().click()
  expect(await view.evaluate(() => window.fake.clipboard)).toMatch(/^https:.*\/v1\/hooks\/\w+$/)
  await made.getByRole('button', { name: 'Copy' }).last().click()
  expect(await view.evaluate(() => window.fake.clipboard)).toMatch(/^curl -d 'Hello' https:/)
  await kith.isAccessible()
  await made.getByRole('button', { name: 'I have copied it' }).click()
  await expect(panel.getByText('/v1/hooks/')).toBeHidden()
  await panel.getByRole('button', { name: 'Revoke Nightly build' }).click()
  await panel.getByRole('group').getByRole('button', { name: 'Revoke' }).click()
  await expect(panel.getByRole('button', { name: 'Revoke Nightly build' })).toBeHidden()
  await expect(panel.locator('summary')).toHaveText('Revoked2')
})

test('one that cannot be made says why, and keeps what was written', async ({ kith }) => {
  const panel = await page(kith, 'Integrations')
  await panel.getByLabel('Name').fill('Too many')
  await panel.getByRole('button', { name: 'Make integration' }).click()
  await expect(panel.getByRole('alert')).toBeVisible()
  await expect(panel.getByLabel('Name')).toHaveValue('Too many')
})

test('somebody is found, shut out after asking, and let in again', async ({ kith }) => {
  const panel = await page(kith, 'People')
  await panel.getByLabel('Find people').fill('jon')
  await expect(panel.getByText('1 person')).toBeVisible()
  await panel.getByRole('button', { name: /Jonas Weber/ }).click()
  await panel.getByRole('button', { name: 'Shut out', exact: true }).last().click()
  await expect(panel.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await panel.getByRole('group').getByRole('button', { name: 'Shut out' }).click()
  await panel.getByRole('button', { name: 'Let in again' }).click()
  await expect(panel.getByText('May connect')).toBeVisible()
  await panel.getByRole('button', { name: 'Shut out Desk at the studio' }).click()
  await panel.getByRole('group').getByRole('button', { name: 'Shut out' }).click()
  await expect(panel.getByText('Signed out')).toBeVisible()
  await kith.isAccessible()
})

test('an owner makes an admin; nobody changes their own account', async ({ kith, page: view }) => {
  const panel = await page(kith, 'People')
  await panel.getByRole('button', { name: /Dev Patel/ }).click()
  await panel.getByRole('combobox', { name: 'Role on this relay' }).click()
  await view.getByRole('option', { name: 'Admin' }).click()
  await expect(panel.getByRole('button', { name: /Dev Patel.*Admin/ })).toBeVisible()
  await panel.getByRole('button', { name: /Mira Lindqvist/ }).click()
  await expect(panel.getByText('This is your own account')).toBeVisible()
  await expect(panel.getByRole('button', { name: 'Shut out', exact: true })).toHaveCount(0)
})

test('how much somebody may hold, and what a chat keeps, is changed; what forgets is asked first', async ({
  kith,
  page: view,
}) => {
  const panel = await page(kith, 'People')
  await panel.getByRole('button', { name: /Dev Patel/ }).click()
  const quota = panel.getByRole('combobox', { name: 'May hold' })
  await quota.click()
  await view.getByRole('option', { name: '5 GB' }).click()
  await expect(quota).toContainText('5 GB')
  await expect(panel.getByText('of 5 GB')).toBeVisible()
  await quota.click()
  await view.getByRole('option', { name: 'as for all' }).click()
  await expect(quota).toContainText('as for all')
  await kith.isAccessible()
  await view.getByRole('tab', { name: 'Chats' }).click()
  await panel.getByRole('button', { name: 'Change what “Group 5be0cd19” keeps' }).click()
  const keep = panel.getByRole('combobox', { name: 'What the relay keeps' })
  await expect(keep).toContainText('newest 67.1 MB kept')
  await keep.click()
  await view.getByRole('option', { name: 'kept 30 days' }).click()
  await kith.isAccessible()
  await panel.getByRole('button', { name: 'Cancel' }).click()
  await expect(keep).toContainText('newest 67.1 MB kept')
  await keep.click()
  await view.getByRole('option', { name: 'kept 30 days' }).click()
  await panel.getByRole('group').getByRole('button', { name: 'Change' }).click()
  await expect(keep).toContainText('kept 30 days')
  await keep.click()
  await view.getByRole('option', { name: 'kept for ever' }).click()
  await expect(keep).toContainText('kept for ever')
})

test('of two thousand people those in sight are drawn, and the last is reached', async ({
  kith,
  page: view,
}) => {
  await kith.open()
  await kith.fake((fake) => fake.crowd(2000))
  await view.keyboard.press('Control+,')
  await view.getByRole('tab', { name: 'People' }).click()
  const panel = view.getByRole('tabpanel')
  await expect(panel.getByText('2011 people')).toBeVisible()
  expect(await panel.getByRole('button').count()).toBeLessThan(100)
  await expect(async () => {
    await panel.evaluate((panel) => panel.scrollTo(0, panel.scrollHeight))
    await expect(panel.getByText('Guest 1999')).toBeInViewport({ timeout: 200 })
  }).toPass()
})

test('invites of everybody are taken back', async ({ kith }) => {
  const panel = await page(kith, 'Invites')
  await expect(panel.getByText('Made by @amina')).toBeVisible()
  await panel.getByRole('button', { name: 'Take back' }).nth(1).click()
  await panel.getByRole('group').getByRole('button', { name: 'Take back' }).click()
  await expect(panel.getByText('Made by @amina')).toBeHidden()
})

test('chats, sessions, refusals and the audit log are read', async ({ kith, page: view }) => {
  const panel = await page(kith, 'Chats')
  await expect(panel.getByText('Group 5be0cd19')).toBeVisible()
  await expect(panel.getByText('kept 90 days')).toBeVisible()
  await view.getByRole('tab', { name: 'Sessions' }).click()
  await expect(panel.getByText('192.0.2.14').first()).toBeVisible()
  await expect(panel.getByText('The invite was used up')).toBeVisible()
  await view.getByRole('tab', { name: 'Audit log' }).click()
  await expect(panel.getByText('@amina shut @felix out')).toBeVisible()
})

test('who administers no relay sees no administration', async ({ kith, page: view }) => {
  await kith.open()
  await kith.fake((fake) => fake.tell([{ kind: 'profileRemoved', profile: 'home' }]))
  await view.keyboard.press('Control+,')
  await expect(view.getByRole('tab', { name: 'Profile' })).toBeVisible()
  await expect(view.getByRole('tab', { name: 'People' })).toHaveCount(0)
  await expect(view.getByText('Administration')).toHaveCount(0)
})

test('an announcement stands above the chats until it is put away, or withdrawn', async ({
  kith,
  page: view,
}) => {
  const panel = await page(kith, 'Announcement')
  await panel
    .getByLabel('What to tell everybody')
    .fill('The relay moves on Friday at six.\nIt is back at seven.')
  await panel.getByRole('button', { name: 'Announce' }).click()
  await expect(panel.getByText('Shown now')).toBeVisible()
  await kith.isAccessible()
  await view.keyboard.press('Escape')
  const banner = view.getByRole('region', { name: 'Announcement' })
  await expect(banner).toContainText('The relay moves on Friday at six.')
  await kith.isAccessible()
  await banner.getByRole('button', { name: 'Put away' }).click()
  await expect(banner).toBeHidden()
  await view.keyboard.press('Control+,')
  await view.getByRole('tab', { name: 'Announcement' }).click()
  await panel.getByRole('button', { name: 'Withdraw' }).click()
  await expect(panel.getByText('Shown now')).toBeHidden()
})
