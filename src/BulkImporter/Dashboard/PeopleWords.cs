using BulkImporter.Access;

namespace BulkImporter.Dashboard;

/// <summary>What roles let people do, as the pages say it.</summary>
internal static class PeopleWords
{
    public static string Of(Role role) => role switch
    {
        Role.Viewer => "viewer: looks",
        Role.Operator => "operator: uploads, starts, reruns",
        Role.Admin => "admin: manages accounts, people and keys too",
    };
}
