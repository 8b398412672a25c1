namespace BulkImporter.Api;

/// <summary>The closed list of the <c>type</c> of a problem: what programs may decide on. docs/api.md says what each means.</summary>
internal static class ProblemType
{
    public const string InvalidRequest = "invalid-request";
    public const string InvalidArgument = "invalid-argument";
    public const string KeyNeeded = "key-needed";
    public const string RoleTooLow = "role-too-low";
    public const string NotFound = "not-found";
    public const string RefusedInThisState = "refused-in-this-state";
    public const string AlreadyExists = "already-exists";
    public const string AdoptionRefused = "adoption-refused";
    public const string MapRefused = "map-refused";
    public const string LastAdmin = "last-admin";
    public const string LastAdminKey = "last-admin-key";
    public const string ManifestTooLarge = "manifest-too-large";
    public const string TooLarge = "too-large";
    public const string UnsupportedMediaType = "unsupported-media-type";
    public const string NoSuchAsset = "no-such-asset";
    public const string CincopaNotAsked = "cincopa-not-asked";
    public const string TokenNotConfirmed = "token-not-confirmed";
    public const string TooManyRequests = "too-many-requests";
    public const string InternalError = "internal-error";
}
