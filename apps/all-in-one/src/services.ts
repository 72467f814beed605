import type { ServiceFactory } from './service-factory.ts'

/**
 * The services, in the order in which they are started; they are stopped in the reverse one.
 *
 * ```ts
 * {
 *   name: 'gateway',
 *   summary: 'public HTTP and the sign-up page',
 *   needs: [],
 *   ports: [{ setting: 'GATEWAY_PORT', shows: 'Sign-up page' }],
 *   start: async (context) => {
 *     const { createGateway } = await import('@millrace-app/gateway')
 *     …
 *     return { stop: () => listener.close() }
 *   },
 * }
 * ```
 */
export const serviceRegistry: readonly ServiceFactory[] = []
