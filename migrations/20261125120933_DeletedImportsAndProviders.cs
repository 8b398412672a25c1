using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class DeletedImportsAndProviders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "import_counted_once_parsed",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_finished_at_iff_ended",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_state_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.AddColumn<string>(
                name: "foreign_id",
                schema: "importer",
                table: "app_user",
                type: "text",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "import_counted_once_parsed",
                schema: "importer",
                table: "import",
                sql: "row_count IS NOT NULL OR state IN ('parsing', 'rejected', 'cancelled', 'deleting')");

            migrationBuilder.AddCheckConstraint(
                name: "import_finished_at_iff_ended",
                schema: "importer",
                table: "import",
                sql: "(finished_at IS NOT NULL) = (state IN ('finished', 'cancelled', 'rejected', 'deleting'))");

            migrationBuilder.AddCheckConstraint(
                name: "import_state_is_known",
                schema: "importer",
                table: "import",
                sql: "state IN ('parsing', 'review', 'running', 'paused', 'finished', 'cancelled', 'rejected', 'deleting')");

            migrationBuilder.CreateIndex(
                name: "ix_app_user_foreign_id",
                schema: "importer",
                table: "app_user",
                column: "foreign_id",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "import_counted_once_parsed",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_finished_at_iff_ended",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_state_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.DropIndex(
                name: "ix_app_user_foreign_id",
                schema: "importer",
                table: "app_user");

            migrationBuilder.DropColumn(
                name: "foreign_id",
                schema: "importer",
                table: "app_user");

            migrationBuilder.AddCheckConstraint(
                name: "import_counted_once_parsed",
                schema: "importer",
                table: "import",
                sql: "row_count IS NOT NULL OR state IN ('parsing', 'rejected', 'cancelled')");

            migrationBuilder.AddCheckConstraint(
                name: "import_finished_at_iff_ended",
                schema: "importer",
                table: "import",
                sql: "(finished_at IS NOT NULL) = (state IN ('finished', 'cancelled', 'rejected'))");

            migrationBuilder.AddCheckConstraint(
                name: "import_state_is_known",
                schema: "importer",
                table: "import",
                sql: "state IN ('parsing', 'review', 'running', 'paused', 'finished', 'cancelled', 'rejected')");
        }
    }
}
