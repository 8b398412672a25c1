using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class Sessions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "stamp",
                schema: "importer",
                table: "sign_in_link",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "stamp",
                schema: "importer",
                table: "password_link",
                type: "text",
                nullable: true);

            // Links that are on their way stay good: nobody has had another password or role since they were made, as far as we know.
            migrationBuilder.Sql("""
                UPDATE importer.password_link l SET stamp = u.security_stamp FROM importer.app_user u WHERE u.id = l.user_id;
                UPDATE importer.sign_in_link l SET stamp = u.security_stamp FROM importer.app_user u WHERE u.id = l.user_id;
                """);

            migrationBuilder.CreateTable(
                name: "session",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    key_id = table.Column<int>(type: "integer", nullable: true),
                    user_id = table.Column<int>(type: "integer", nullable: true),
                    stamp = table.Column<string>(type: "text", nullable: true),
                    began_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    how = table.Column<string>(type: "text", nullable: false),
                    address = table.Column<string>(type: "text", nullable: true),
                    browser = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_session", x => x.id);
                    table.CheckConstraint("session_is_of_a_key_or_a_user", "(key_id IS NULL) <> (user_id IS NULL)");
                    table.ForeignKey(
                        name: "fk_session_api_key_key_id",
                        column: x => x.key_id,
                        principalSchema: "importer",
                        principalTable: "api_key",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_session_user_user_id",
                        column: x => x.user_id,
                        principalSchema: "importer",
                        principalTable: "app_user",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_session_key_id",
                schema: "importer",
                table: "session",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "ix_session_user_id",
                schema: "importer",
                table: "session",
                column: "user_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "session",
                schema: "importer");

            migrationBuilder.DropColumn(
                name: "stamp",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropColumn(
                name: "stamp",
                schema: "importer",
                table: "password_link");
        }
    }
}
