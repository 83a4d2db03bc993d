import { Module } from '@nestjs/common';
import { CatalogueController } from './catalogue.controller.ts';
import { CustomersController } from './customers.controller.ts';
import { DeliveredLeadsController } from './delivered-leads.controller.ts';
import { LeadsController } from './leads.controller.ts';
import { OperationsController } from './operations.controller.ts';
import { OrdersController } from './orders.controller.ts';
import { PolicyController } from './policy.controller.ts';
import { ProcessesController } from './processes.controller.ts';
import { ProgrammesController } from './programmes.controller.ts';
import { ReplacementsController } from './replacements.controller.ts';

@Module({
  controllers: [
    CatalogueController,
    PolicyController,
    CustomersController,
    DeliveredLeadsController,
    OrdersController,
    ProgrammesController,
    LeadsController,
    ReplacementsController,
    ProcessesController,
    OperationsController,
  ],
})
export class ApiModule {}
