using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class Notifications : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "notification",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    kind = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    import_id = table.Column<int>(type: "integer", nullable: true),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    body = table.Column<string>(type: "text", nullable: true),
                    addressed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification", x => x.id);
                    table.ForeignKey(
                        name: "fk_notification_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_notification_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "notification_target",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    secret_protected = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification_target", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notification_delivery",
                schema: "importer",
                columns: table => new
                {
                    notification_id = table.Column<long>(type: "bigint", nullable: false),
                    target_id = table.Column<int>(type: "integer", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    try_count = table.Column<int>(type: "integer", nullable: false),
                    delivered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    problem = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification_delivery", x => new { x.notification_id, x.target_id });
                    table.ForeignKey(
                        name: "fk_notification_delivery_notification_notification_id",
                        column: x => x.notification_id,
                        principalSchema: "importer",
                        principalTable: "notification",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_notification_delivery_notification_target_target_id",
                        column: x => x.target_id,
                        principalSchema: "importer",
                        principalTable: "notification_target",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_notification_account_id",
                schema: "importer",
                table: "notification",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_addressed_at",
                schema: "importer",
                table: "notification",
                column: "addressed_at");

            migrationBuilder.CreateIndex(
                name: "ix_notification_import_id",
                schema: "importer",
                table: "notification",
                column: "import_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_delivery_next_at",
                schema: "importer",
                table: "notification_delivery",
                column: "next_at");

            migrationBuilder.CreateIndex(
                name: "ix_notification_delivery_target_id",
                schema: "importer",
                table: "notification_delivery",
                column: "target_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_target_name",
                schema: "importer",
                table: "notification_target",
                column: "name",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notification_delivery",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "notification",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "notification_target",
                schema: "importer");
        }
    }
}
