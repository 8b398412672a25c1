using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class People : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Links live for 15 minutes, and the ones from before do not say who made them.
            migrationBuilder.Sql("DELETE FROM importer.sign_in_link");

            migrationBuilder.DropCheckConstraint(
                name: "sign_in_link_role_is_known",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropColumn(
                name: "role",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.AddColumn<int>(
                name: "key_id",
                schema: "importer",
                table: "sign_in_link",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "user_id",
                schema: "importer",
                table: "sign_in_link",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_used_at",
                schema: "importer",
                table: "api_key",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "app_user",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    role = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    signed_in_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    locked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    user_name = table.Column<string>(type: "text", nullable: false),
                    normalized_user_name = table.Column<string>(type: "text", nullable: false),
                    password_hash = table.Column<string>(type: "text", nullable: true),
                    security_stamp = table.Column<string>(type: "text", nullable: false),
                    concurrency_stamp = table.Column<string>(type: "text", nullable: false),
                    lockout_end = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    access_failed_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_app_user", x => x.id);
                    table.CheckConstraint("app_user_role_is_known", "role IN ('viewer', 'operator', 'admin')");
                });

            migrationBuilder.CreateTable(
                name: "password_link",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    user_id = table.Column<int>(type: "integer", nullable: true),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_password_link", x => x.id);
                    table.ForeignKey(
                        name: "fk_password_link_user_user_id",
                        column: x => x.user_id,
                        principalSchema: "importer",
                        principalTable: "app_user",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_link_key_id",
                schema: "importer",
                table: "sign_in_link",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_link_user_id",
                schema: "importer",
                table: "sign_in_link",
                column: "user_id");

            migrationBuilder.AddCheckConstraint(
                name: "sign_in_link_is_of_a_key_or_a_user",
                schema: "importer",
                table: "sign_in_link",
                sql: "(key_id IS NULL) <> (user_id IS NULL)");

            migrationBuilder.CreateIndex(
                name: "ix_app_user_normalized_user_name",
                schema: "importer",
                table: "app_user",
                column: "normalized_user_name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_password_link_hash",
                schema: "importer",
                table: "password_link",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_password_link_user_id",
                schema: "importer",
                table: "password_link",
                column: "user_id");

            migrationBuilder.AddForeignKey(
                name: "fk_sign_in_link_api_key_key_id",
                schema: "importer",
                table: "sign_in_link",
                column: "key_id",
                principalSchema: "importer",
                principalTable: "api_key",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_sign_in_link_user_user_id",
                schema: "importer",
                table: "sign_in_link",
                column: "user_id",
                principalSchema: "importer",
                principalTable: "app_user",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DELETE FROM importer.sign_in_link");

            migrationBuilder.DropForeignKey(
                name: "fk_sign_in_link_api_key_key_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropForeignKey(
                name: "fk_sign_in_link_user_user_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropTable(
                name: "password_link",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "app_user",
                schema: "importer");

            migrationBuilder.DropIndex(
                name: "ix_sign_in_link_key_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropIndex(
                name: "ix_sign_in_link_user_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropCheckConstraint(
                name: "sign_in_link_is_of_a_key_or_a_user",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropColumn(
                name: "key_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropColumn(
                name: "user_id",
                schema: "importer",
                table: "sign_in_link");

            migrationBuilder.DropColumn(
                name: "last_used_at",
                schema: "importer",
                table: "api_key");

            migrationBuilder.AddColumn<string>(
                name: "role",
                schema: "importer",
                table: "sign_in_link",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddCheckConstraint(
                name: "sign_in_link_role_is_known",
                schema: "importer",
                table: "sign_in_link",
                sql: "role IN ('viewer', 'operator', 'admin')");
        }
    }
}
