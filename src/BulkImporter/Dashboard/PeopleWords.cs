using BulkImporter.Access;

namespace BulkImporter.Dashboard;

/// <summary>What roles let people do, as the pages say it.</summary>
internal static class PeopleWords
{
    public static string Of(Role role) => role switch
    {
        Role.Viewer => "viewer: read-only",
        Role.Operator => "operator: can upload, start and rerun",
        Role.Admin => "admin: can also manage accounts, people and keys",
    };
}
