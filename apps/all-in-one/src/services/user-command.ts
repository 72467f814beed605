import { listenWhenSeparate } from '../separate-listener.ts'
import type { ServiceFactory } from '../service-factory.ts'

/** Owns all writes about users. */
export const userCommandService: ServiceFactory = {
  name: 'user-command',
  summary: 'owns all writes about users',
  needs: ['redis'],
  ports: [{ setting: 'USER_COMMAND_PORT', whenSeparate: true }],
  start: async (context) => {
    const { settings, secrets, kit } = context
    const { createPasswords, createUserCommand, uniqOverHttp } = await import('@millrace-app/user-command')
    const { purposeKey } = await import('@millrace/service')
    const { createActivationLinks, createSessionTokens } = await import('@millrace/accounts')
    const { peerClient } = await import('../peers.ts')
    const { constraintsOf, usernamesOf } = await import('../guards.ts')
    const app = createUserCommand({
      uniq: uniqOverHttp({
        client: peerClient(context, 'uniq', { token: secrets.SERVICE_TOKEN, timeoutMs: 2_000 }),
      }),
      log: await kit.log(),
      passwords: createPasswords({ cost: settings.PASSWORD_COST }),
      sessions: createSessionTokens({ key: purposeKey(secrets.MILLRACE_SECRET, 'session') }),
      links: createActivationLinks({ key: purposeKey(secrets.MILLRACE_SECRET, 'link') }),
      idempotencySecret: purposeKey(secrets.MILLRACE_SECRET, 'idempotency'),
      http: kit.http('user-command'),
      privacy: settings.SIGNUP_PRIVACY,
      usernames: usernamesOf(constraintsOf(settings.UNIQ_CONSTRAINTS)),
    })
    return listenWhenSeparate(context, 'user-command', 'USER_COMMAND_PORT', app)
  },
}
