import type { html } from 'hono/html'

/** HTML made by `html`: whatever is put into it is escaped, unless it is markup itself. */
export type Markup = ReturnType<typeof html>
