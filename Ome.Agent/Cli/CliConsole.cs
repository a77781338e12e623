using System.Text;
using Spectre.Console;

namespace Ome.Agent.Cli;

/// <summary>Where a command writes: answers to <see cref="Out"/>, progress and complaints to <see cref="Error"/>.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="OutIsTerminal">Answers may be a table with colours.</param>
/// <param name="ErrorIsTerminal">Progress may be a bar that redraws itself.</param>
public sealed record CliConsole(TextWriter Out, TextWriter Error, bool OutIsTerminal, bool ErrorIsTerminal)
{
    public static CliConsole System() => new(Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    public IAnsiConsole Answers() => Ansi(Out, OutIsTerminal);

    public IAnsiConsole Status() => Ansi(Error, ErrorIsTerminal);

    /// <summary>Text from a file's name or a link, made harmless for a terminal: it may hold escape sequences.</summary>
    public static string Plain(string? text)
    {
        if (text is null) return "";
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var harmful = Rune.GetUnicodeCategory(rune) is global::System.Globalization.UnicodeCategory.Control or global::System.Globalization.UnicodeCategory.Format
                or global::System.Globalization.UnicodeCategory.LineSeparator or global::System.Globalization.UnicodeCategory.ParagraphSeparator;
            plain.Append(harmful ? "\uFFFD" : rune.ToString());
        }

        return plain.ToString();
    }

    private static IAnsiConsole Ansi(TextWriter writer, bool terminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
    });
}
