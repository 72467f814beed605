import type { ServiceFactory } from './service-factory.ts'
import { cdcService } from './services/cdc.ts'
import { gatewayService } from './services/gateway.ts'
import { inboxService } from './services/inbox.ts'
import { leadsService } from './services/leads.ts'
import { legacyLeadsService } from './services/legacy-leads.ts'
import { mailService } from './services/mail.ts'
import { opsService } from './services/ops.ts'
import { plannerService } from './services/planner.ts'
import { purchasingService } from './services/purchasing.ts'
import { restockingService } from './services/restocking.ts'
import { uniqService } from './services/uniq.ts'
import { userCommandService } from './services/user-command.ts'
import { userQueryService } from './services/user-query.ts'

/** The services, in the order in which they are started; they are stopped in the reverse one. */
export const serviceRegistry: readonly ServiceFactory[] = [
  opsService,
  inboxService,
  uniqService,
  userQueryService,
  mailService,
  userCommandService,
  legacyLeadsService,
  leadsService,
  cdcService,
  purchasingService,
  restockingService,
  plannerService,
  gatewayService,
]
