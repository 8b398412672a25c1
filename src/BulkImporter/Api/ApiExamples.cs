using System.Text.Json;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Export;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Notify;
using BulkImporter.Parse;
using BulkImporter.Probes;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Undo;
using Cincopa.Client;

namespace BulkImporter.Api;

/// <summary>
/// An example of each body of the API, for its document. They are real values, so that they have the members that the bodies have.
/// </summary>
internal static class ApiExamples
{
    public const string Sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    private static readonly DateTimeOffset Begun = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Ended = Begun.AddMinutes(5);

    private static readonly Dictionary<Type, object> All = [];

    static ApiExamples()
    {
        var fixedSource = new RecordError("source_not_found", FailureClass.Permanent, "The file's address answered 404.");
        var finished = new FinishView("done", 0, null, null, null);
        AddWithPage(new ImportView
        {
            Id = 7,
            Name = "Spring 2026",
            Account = "museum",
            Manifest = new("spring.csv", Sha256, 24_310),
            State = ImportState.Running,
            Rows = 250,
            Counts = new(40, 5, 12, 190, 2, 1, 0, 0, 0, 0),
            RatePerSecond = 2.5,
            EtaSeconds = 23,
            Failures = [new("source_not_found", FailureClass.Permanent, 2)],
            CreatedAt = Begun,
            StartedAt = Begun.AddMinutes(1),
            CreatedBy = "Ada",
            ParsedRows = 250,
            Mapping = "url=OriginalURL,caption=Title",
            StartedBy = "Ada",
            Finishing = new(3, 0),
            WaitingHosts = [new("old.example.com", 20, Begun.AddMinutes(2), "source_forbidden", Ended, 31)],
            Arrival = new(180, 1, 0, 0, 9),
        });
        Add(new RevisionBody
        {
            ["name"] = JsonSerializer.SerializeToElement("Spring 2026"),
            ["priority"] = JsonSerializer.SerializeToElement(5),
            ["window"] = JsonSerializer.SerializeToElement("22:00-06:00 Europe/Berlin"),
        });
        Add(new ManifestPreview(["OriginalURL", "Title"], new Dictionary<string, string> { ["url"] = "OriginalURL", ["caption"] = "Title" },
            FileFormat.Csv, null, [], true, ',', "UTF-8", null,
            [new(1, false, new Dictionary<string, string> { ["url"] = "https://media.example.com/spring.mp4", ["caption"] = "Spring" }, [],
                ["https://media.example.com/spring.mp4", "Spring"])],
            [new("OriginalURL", "url", 250, ["https://media.example.com/spring.mp4"]), new("Title", "caption", 248, ["Spring"])], 250));
        Add(new ProbeView("done", 200, 200, 200, 3, Begun, Ended, [new("old.example.com", 61)]));
        Add(new FindingPage([new(12, 13, "url", "url_missing", "error", null, "Enter the file's address.")], null));
        Add(new KeptFile(Sha256, 1_048_576));
        Add(new ManifestAddressBody("https://media.example.com/library.csv"));
        Add(new FilesBody([new("spring.mp4", Sha256)]));
        Add(new NewTemplateBody("Weekly export"));
        AddWithPage(new TemplateView("Weekly export", "url=OriginalURL,caption=Title", ["OriginalURL", "Title"], "Ada", Begun));
        Add(new CorrectionReport(1, 1, [new(2, 12, "corrected", "It will be sent again."),
            new(3, 31, "wrong_state", "The record is imported.")]));
        AddWithPage(new AuditView(310, Begun, "Ada", "import_started", 7, "museum", null));

        AddWithPage(new RecordView(12, 13, "https://media.example.com/spring.mp4", "Spring", "A-12", RecordState.Failed, null, null, 1,
            fixedSource, null, null, null, null, Begun, Ended, false, null, null));
        Add(new RecordBody(31, 32, "https://media.example.com/summer.mp4", "Summer", "A-31", RecordState.Imported, "st_7Qm2", "A8KcNw", 1,
            null, 100, 1_048_576, 1_048_576, null, Begun, Ended, false, finished, null,
            new("https://rt.cincopa.com/A8KcNw.m3u8",
                "https://www.cincopa.com/media-platform/iframe.aspx?fid=A4BcDeFgHiJk!A8KcNw", null, null,
                "A4BcDeFgHiJk", null, 1_048_576, null, null, Arrival.Verified, 1_048_576),
            null, [new(1, Begun, Ended, "host-1", "st_7Qm2", "imported", null, 200, null)]));
        Add(new CandidatesView(
            [new("A8KcNw", "summer.mp4", 1_048_576, Begun.AddSeconds(3), "Summer", "video", "uploaded 3 s after the attempt", true)],
            Ended, null, Begun, 1_048_576));
        Add(new LookAgainBody(Ended));
        Add(new AdoptBody("A8KcNw"));
        Add(new RerunOrder(State: "failed", Code: "source_timeout"));
        Add(new RerunBody(61, 1, [new(RecordState.Imported, 1, "It is imported. Sending it again would make a second asset.")]));
        Add(new UndoOrder(State: "imported", Name: "Spring"));
        Add(new UndoBody(61, 1, [new(LeftReason.Shared, 1, "Another record has the same asset.", [31])]));
        Add(new SelectionBody(RecordIds: [12, 31]));
        Add(new FinishAgainBody(2));
        Add(new VerifyArrivalBody(240, 8));
        Add(new GivenUpBody(2, 1));
        Add(new AdoptedBody(2, 1));
        Add(new MapReport(228, 4, 0, 1));

        Add(new NewAccountBody("museum", "TOKEN"));
        Add(new AccountChange(Rate: 10, MaxInFlight: 20));
        AddWithPage(new AccountView(1, "museum", "https://api.cincopa.com/v2/", AccountState.Active, null, VerbSetting.Auto, SubmitVerb.Get,
            null, 5, 12, null, null, Begun, Ended, "A4BcDeFgHiJk", PlayerSettings.DefaultHls, PlayerSettings.DefaultEmbed));
        Add(new AccountCheck(true, "12345", "ada@example.com", ["asset.upload_from_url"], [], null));
        AddWithPage(new GalleryView("A4BcDeFgHiJk", "Spring", null));
        Add(new SourceHeaderBody("media.example.com", "Authorization", "Bearer TOKEN"));
        AddWithPage(new SourceHeaderView("media.example.com", "Authorization", Begun));

        var key = new KeyView(3, "nightly", "bi_4f2a", Role.Operator, Begun, null, null, null);
        Add(new NewKeyBody("nightly", "operator"));
        AddWithPage(key);
        Add(new MadeKey(key, "SECRET"));
        Add(new SignInLinkBody("https://importer.example.com/sign-in/SECRET", Ended));
        var person = new UserView(2, "Ada", Role.Operator, UserState.Active, null, Begun, Ended);
        var link = new PasswordLinkBody("https://importer.example.com/password/SECRET", Ended);
        Add(new NewUserBody("Ada", "operator"));
        Add(new UserChangeBody(Role: "admin"));
        AddWithPage(person);
        Add(new AddedUserBody(person with { State = UserState.Invited, SignedInAt = null }, link));
        Add(link);

        Add(new NewTargetBody("chat", "https://hooks.example.com/importer"));
        AddWithPage(new TargetView("chat", "https://hooks.example.com/importer", Begun));
        Add(new MadeTarget("chat", "https://hooks.example.com/importer", "SECRET"));
        AddWithPage(new NotificationView(41, "import_finished", Ended, 7, "museum", null,
            [new("chat", "delivered", 1, null, Ended, null)]));
        Add(new ReplayedBody(1));
    }

    /// <summary>The example of a JSON body; null when there is none.</summary>
    public static object? Of(Type type) => All.GetValueOrDefault(type);

    /// <summary>The example of a body that is no JSON.</summary>
    public static string Text(string contentType) => contentType switch
    {
        "text/csv" => "url,caption\nhttps://media.example.com/spring.mp4,Spring\n",
        "text/event-stream" => "event: import\ndata: {\"id\":7,\"name\":\"Spring 2026\",\"state\":\"running\"}\n\n",
        "application/zip" => "(the bytes of a ZIP file)",
        "application/octet-stream" => "(the bytes of a file)",
        _ => throw new ArgumentOutOfRangeException(nameof(contentType), contentType, "There is no example of this content type."),
    };

    private static void Add<T>(T example) where T : notnull => All.Add(typeof(T), example);

    private static void AddWithPage<T>(T example) where T : notnull
    {
        Add(example);
        Add(new Page<T>([example], null));
    }
}
