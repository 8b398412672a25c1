using BulkImporter.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace BulkImporter.Migrations;

/// <summary>
/// Statements over all imports ask <c>importer.opens_at</c>. A server upgrade may take a zone's name away, and one import's name must not
/// make them raise: such an import never opens, by <c>infinity</c>, and is paused with its reason. Other times stay where .NET can read them.
/// </summary>
[DbContext(typeof(ImporterDb))]
[Migration("20261129193800_OpensAtNeverRaises")]
public sealed class OpensAtNeverRaises : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        CREATE OR REPLACE FUNCTION importer.opens_at(start_at timestamptz, window_from time, window_until time, window_zone text) RETURNS timestamptz
        LANGUAGE plpgsql STABLE AS $$
        DECLARE
            earliest timestamp;
        BEGIN
            IF window_zone IS NULL THEN RETURN CASE WHEN start_at > now() THEN start_at END; END IF;
            BEGIN
                earliest := greatest(start_at, now()) AT TIME ZONE window_zone;
            EXCEPTION WHEN invalid_parameter_value THEN
                RETURN 'infinity';
            END;
            IF (CASE WHEN window_from < window_until THEN earliest::time >= window_from AND earliest::time < window_until
                     ELSE earliest::time >= window_from OR earliest::time < window_until END)
            THEN RETURN CASE WHEN start_at > now() THEN start_at END; END IF;
            RETURN least((earliest::date + CASE WHEN earliest::time < window_from THEN 0 ELSE 1 END + window_from) AT TIME ZONE window_zone, '9999-12-31 00:00+00');
        END
        $$
        """);

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        CREATE OR REPLACE FUNCTION importer.opens_at(start_at timestamptz, window_from time, window_until time, window_zone text) RETURNS timestamptz
        LANGUAGE sql STABLE AS $$
            SELECT CASE
                WHEN window_zone IS NULL OR CASE WHEN window_from < window_until THEN local::time >= window_from AND local::time < window_until
                                                 ELSE local::time >= window_from OR local::time < window_until END
                THEN CASE WHEN start_at > now() THEN start_at END
                ELSE (local::date + CASE WHEN local::time < window_from THEN 0 ELSE 1 END + window_from) AT TIME ZONE window_zone
                END
            FROM (SELECT greatest(start_at, now()) AT TIME ZONE window_zone AS local) earliest
        $$
        """);
}
