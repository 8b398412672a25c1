using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;

namespace BulkImporter.Accounts;

/// <summary>
/// How hard an account is worked by all workers together, said once: each member has its default, its bounds and its words beside it.
/// Table, API, command line and page take it from here (<see cref="AccountLimit"/>); what a limit does stands where a statement obeys it.
/// Zero is no limit.
/// </summary>
public record AccountLimits
{
    /// <summary>Submit calls per second.</summary>
    [Display(Name = "Submit calls per second", Description = "Submit calls per second, all workers together")]
    public double Rate { get; init; }

    /// <summary>Status calls per second.</summary>
    [Display(Name = "Status calls per second", Description = "Status calls per second, all workers together")]
    public double StatusRate { get; init; }

    /// <summary>Submit calls at the same time. The default is small: no limit is published (UNK).</summary>
    [Display(Name = "Calls at the same time", Description = "Submit calls at the same time, all workers together")]
    public int MaxInFlight { get; init; } = 5;

    /// <summary>
    /// Submit calls and pushes at the same time whose files are of one host, and files of it that one check asks for at a time. Without it
    /// a host gets what the account's calls at the same time allow.
    /// </summary>
    [Display(Name = "Calls at the same time per source host",
        Description = "Submit calls at the same time for files of one host, all workers together")]
    public int PerHost { get; init; }

    /// <summary>Records that Cincopa has accepted and not finished.</summary>
    [Display(Name = "Sent and not finished", Description = "Records that Cincopa has accepted and not finished")]
    public int Backlog { get; init; } = 1000;

    internal static void Configure(ComplexPropertyBuilder<AccountLimits> limits)
    {
        limits.Property(l => l.Rate).HasColumnName("submit_rate");
        limits.Property(l => l.StatusRate).HasColumnName("status_rate");
        limits.Property(l => l.MaxInFlight).HasColumnName("max_in_flight");
        limits.Property(l => l.PerHost).HasColumnName("per_host_limit").HasDefaultValue(0);
        limits.Property(l => l.Backlog).HasColumnName("backlog_limit");
    }
}

/// <summary>
/// A limit, made of a member of <see cref="AccountLimits"/> and of the one of the same name in <see cref="AccountChange"/>.
/// </summary>
public sealed class AccountLimit
{
    /// <summary>
    /// Slower than one call in an hour is a pause, and times are counted from the rate: they must not leave what a clock can show.
    /// </summary>
    private const double SlowestRate = 0.0003;

    private readonly PropertyInfo member;
    private readonly PropertyInfo changed;

    private AccountLimit(PropertyInfo member, DisplayAttribute about)
    {
        (this.member, changed) = (member, typeof(AccountChange).GetProperty(member.Name)!);
        Name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
        Option = "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(member.Name);
        (Label, Help) = (about.Name!, about.Description + "; 0 = no limit");
    }

    public static IReadOnlyList<AccountLimit> All { get; } =
        [.. typeof(AccountLimits).GetProperties().Where(p => p.IsDefined(typeof(DisplayAttribute)))
            .Select(p => new AccountLimit(p, p.GetCustomAttribute<DisplayAttribute>()!))];

    /// <summary>As requests and replies have it, in camel case.</summary>
    public string Name { get; }

    /// <summary>As the command line has it, in lower case with dashes.</summary>
    public string Option { get; }

    /// <summary>On the page and in the audit log.</summary>
    public string Label { get; }

    /// <summary>The label in the middle of a sentence.</summary>
    public string Words => char.ToLowerInvariant(Label[0]) + Label[1..];

    /// <summary>In the help of the command line.</summary>
    public string Help { get; }

    private bool IsWhole => member.PropertyType == typeof(int);

    /// <summary>Its value as a number is typed.</summary>
    public string Text(AccountLimits limits) =>
        Convert.ToDouble(member.GetValue(limits), CultureInfo.InvariantCulture)
            .ToString("0.###############", CultureInfo.InvariantCulture);

    /// <summary>What a change makes of it; null when it stays.</summary>
    public string? Text(AccountChange change) =>
        changed.GetValue(change) is { } value ? Convert.ToString(value, CultureInfo.InvariantCulture) : null;

    /// <summary>The same change, and this limit set.</summary>
    /// <exception cref="InvalidArgumentException">The text is not plainly one number, or is out of bounds.</exception>
    public AccountChange With(AccountChange change, string text)
    {
        var result = change with { };
        changed.SetValue(result, IsWhole ? (object)PlainNumber.Whole<int>(Name, text.Trim()) : PlainNumber.Number(Name, text.Trim()));
        Check(result);
        return result;
    }

    /// <summary>The limits with what the change says of this one.</summary>
    internal AccountLimits With(AccountLimits limits, AccountChange change)
    {
        if (changed.GetValue(change) is not { } value) return limits;
        var result = limits with { };
        member.SetValue(result, value);
        return result;
    }

    /// <exception cref="InvalidArgumentException">What the change says is out of bounds.</exception>
    internal void Check(AccountChange change)
    {
        if (changed.GetValue(change) is not { } value) return;
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number) || number < 0) throw new InvalidArgumentException(Name, "A limit must be 0 (no limit) or more.");
        if (!IsWhole && number is > 0 and < SlowestRate)
        {
            throw new InvalidArgumentException(Name,
                "A rate is 0 (no limit) or at least 0.0003 calls per second, about one in an hour. To send nothing, pause the import.");
        }
    }
}
