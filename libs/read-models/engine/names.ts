import { CamelCasePlugin, type QueryResult, type UnknownRow } from 'kysely';

/** An answer whose rows have our names already. */
export interface NamedResult<Row> extends QueryResult<Row> {
  readonly named: true;
}

const isNamed = (result: QueryResult<UnknownRow>): result is NamedResult<UnknownRow> => 'named' in result;

/** In the database, names are written with underscores. */
export class ColumnNames extends CamelCasePlugin {
  constructor() {
    super({ maintainNestedObjectKeys: true });
  }

  override async transformResult({ result, ...args }: Parameters<CamelCasePlugin['transformResult']>[0]) {
    return isNamed(result) ? result : super.transformResult({ result, ...args });
  }
}
