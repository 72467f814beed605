export { createInbox, type Inbox, type InboxOptions } from './inbox.ts'
export type { InboxStats, MailList, WholeMail } from './mail-api.ts'
