using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class SourceFiles : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "source_file",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    sha256 = table.Column<byte[]>(type: "bytea", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    received_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_file", x => x.id);
                    table.CheckConstraint("source_file_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "manifest_source_file",
                schema: "importer",
                columns: table => new
                {
                    manifest_id = table.Column<int>(type: "integer", nullable: false),
                    source_file_id = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest_source_file", x => new { x.manifest_id, x.source_file_id });
                    table.ForeignKey(
                        name: "fk_manifest_source_file_manifest_manifest_id",
                        column: x => x.manifest_id,
                        principalSchema: "importer",
                        principalTable: "manifest",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_manifest_source_file_source_file_source_file_id",
                        column: x => x.source_file_id,
                        principalSchema: "importer",
                        principalTable: "source_file",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "source_file_part",
                schema: "importer",
                columns: table => new
                {
                    source_file_id = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    bytes = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_file_part", x => new { x.source_file_id, x.number });
                    table.ForeignKey(
                        name: "fk_source_file_part_source_file_source_file_id",
                        column: x => x.source_file_id,
                        principalSchema: "importer",
                        principalTable: "source_file",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_manifest_source_file_source_file_id",
                schema: "importer",
                table: "manifest_source_file",
                column: "source_file_id");

            migrationBuilder.CreateIndex(
                name: "ix_source_file_sha256",
                schema: "importer",
                table: "source_file",
                column: "sha256",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "manifest_source_file",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_file_part",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_file",
                schema: "importer");
        }
    }
}
