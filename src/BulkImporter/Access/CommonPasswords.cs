using Microsoft.AspNetCore.Identity;

namespace BulkImporter.Access;

/// <summary>
/// Refuses what is tried first: a password that is nothing but common words, the person's name or a run of keys, however often repeated,
/// with digits and signs around them. Long passwords are asked for, so the usual lists of short ones are of no use as they are.
/// </summary>
internal sealed class RefuseCommonPasswords : IPasswordValidator<User>
{
    private static readonly string[] Words =
    [
        "password", "passwort", "passwd", "pass", "word", "admin", "administrator", "root", "user", "login", "welcome", "willkommen",
        "letmein", "changeme", "secret", "default",
        "qwerty", "qwertz", "azerty", "qwertyuiop", "qwertzuiop", "asdf", "asdfghjkl", "zxcvbnm", "yxcvbnm", "qaz", "wsx", "edc", "abc",
        "abcd", "abcdef", "abcdefghijklmnopqrstuvwxyz",
        "iloveyou", "monkey", "dragon", "football", "baseball", "superman", "batman", "princess", "sunshine", "shadow", "master",
        "michael", "jordan", "summer", "winter", "spring",
        "autumn", "sommer", "herbst", "hello", "hallo", "freedom", "whatever", "trustno", "starwars", "computer", "internet", "test",
        "testing", "guest", "demo", "company", "server",
        "cincopa", "bulkimporter", "bulk", "importer", "import", "museum", "correcthorsebatterystaple",
    ];

    public Task<IdentityResult> ValidateAsync(UserManager<User> manager, User user, string? password) =>
        Task.FromResult(IsCommon(password ?? "", user.UserName)
        ? IdentityResult.Failed(new IdentityError
        {
            Code = "CommonPassword",
            Description = "This password is too common. Use a few words that do not belong together."
        })
        : IdentityResult.Success);

    internal static bool IsCommon(string password, string? name)
    {
        var letters = Letters(password);
        // Digits and signs alone: a date, a number, a pattern of keys.
        if (letters.Length < 3) return true;
        var words = name is { Length: > 2 } && Letters(name) is { Length: > 2 } own ? [.. Words, own] : Words;
        return IsMadeOf(letters, words);
    }

    /// <summary>Small letters; digits and signs that stand for letters are read as those, the others are left out.</summary>
    private static string Letters(string text)
    {
        var letters = new StringBuilder(text.Length);
        var trimmed = text.Trim("0123456789!?.,;:-_+*#$%&/()=@ ".ToCharArray());
        foreach (var c in trimmed.ToLowerInvariant())
        {
            var letter = c switch { '0' => 'o', '1' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', _ => c };
            if (char.IsLetter(letter)) letters.Append(letter);
        }
        return letters.ToString();
    }

    private static bool IsMadeOf(string text, string[] words)
    {
        var reached = new bool[text.Length + 1];
        reached[0] = true;
        for (var at = 0; at < text.Length; at++)
        {
            if (!reached[at]) continue;
            // The same letter again and again is a word, too.
            for (var end = at + 1; end <= text.Length && text[end - 1] == text[at]; end++) reached[end] |= end - at >= 3;
            foreach (var word in words)
                if (string.CompareOrdinal(text, at, word, 0, word.Length) == 0 && at + word.Length <= text.Length)
                    reached[at + word.Length] = true;
        }
        return reached[^1];
    }
}
