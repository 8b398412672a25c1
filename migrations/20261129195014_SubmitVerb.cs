using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class SubmitVerb : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "first_accepted_at",
                schema: "importer",
                table: "account",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "permissions",
                schema: "importer",
                table: "account",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "submit_verb",
                schema: "importer",
                table: "account",
                type: "text",
                nullable: false,
                defaultValue: "auto");

            migrationBuilder.AddColumn<string>(
                name: "verb_in_use",
                schema: "importer",
                table: "account",
                type: "text",
                nullable: false,
                defaultValue: "get");

            migrationBuilder.AddCheckConstraint(
                name: "account_verbs_are_known",
                schema: "importer",
                table: "account",
                sql: "submit_verb IN ('auto', 'get', 'post') AND verb_in_use IN ('get', 'post')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "account_verbs_are_known",
                schema: "importer",
                table: "account");

            migrationBuilder.DropColumn(
                name: "first_accepted_at",
                schema: "importer",
                table: "account");

            migrationBuilder.DropColumn(
                name: "permissions",
                schema: "importer",
                table: "account");

            migrationBuilder.DropColumn(
                name: "submit_verb",
                schema: "importer",
                table: "account");

            migrationBuilder.DropColumn(
                name: "verb_in_use",
                schema: "importer",
                table: "account");
        }
    }
}
