using BulkImporter.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace BulkImporter.Migrations;

/// <summary>
/// Says which programs can work on this database: see <see cref="SchemaGeneration"/>. A function and not a row, so that it changes only by a
/// migration and shows in schema.sql.
/// </summary>
[DbContext(typeof(ImporterDb))]
[Migration("20261124211500_OldestProgram")]
public sealed class OldestProgram : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("CREATE FUNCTION importer.oldest_program() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'");

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP FUNCTION importer.oldest_program()");
}
