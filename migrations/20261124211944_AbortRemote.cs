using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class AbortRemote : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "abort_answered_at",
                schema: "importer",
                table: "status_poll",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "next_abort_at",
                schema: "importer",
                table: "status_poll",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "abort_remote",
                schema: "importer",
                table: "import",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "abort_answered_at",
                schema: "importer",
                table: "status_poll");

            migrationBuilder.DropColumn(
                name: "next_abort_at",
                schema: "importer",
                table: "status_poll");

            migrationBuilder.DropColumn(
                name: "abort_remote",
                schema: "importer",
                table: "import");
        }
    }
}
