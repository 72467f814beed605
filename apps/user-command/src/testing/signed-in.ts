import { ada, bearer, openStand, type StandOptions } from './stand.ts'

/** A stand with one account that is signed in. */
export async function openWithAccount(options: StandOptions = {}) {
  const stand = openStand(options)
  const made = await stand.send('POST', '/users', ada)
  const id = String(made.body['id'])
  const token = String(made.body['token'])
  return { ...stand, made, id, token, me: bearer(token), path: `/users/${id}` }
}
