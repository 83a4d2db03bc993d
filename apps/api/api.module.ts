import { Module } from '@nestjs/common';
import { OperationsController } from './operations.controller.ts';
import { OrdersController } from './orders.controller.ts';

@Module({ controllers: [OrdersController, OperationsController] })
export class ApiModule {}
