using System.CommandLine;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain;

namespace Ome.Agent.Cli;

/// <summary>The flags that say how hard a command may read.</summary>
internal sealed class EngineFlags
{
    private readonly Option<long> _limit = Bytes("--limit", "most bytes a second to read, e.g. 100MB; 0 is unlimited", 0);

    private readonly Option<int> _jobs = new("--jobs", "-j")
    {
        Description = "readers at work at once, 1 to 256; 0 takes what the cores and a fast disk need",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
    };

    public EngineFlags(Command command)
    {
        _jobs.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var jobs) || jobs is < 0 or > 256)) result.AddError($"--jobs is '{text}': it must be from 0 to 256");
        });
        command.Options.Add(_limit);
        command.Options.Add(_jobs);
    }

    /// <summary>An option whose value is a count of bytes, or of bytes a second.</summary>
    public static Option<long> Bytes(string name, string description, long byDefault) => new(name)
    {
        Description = description,
        HelpName = "bytes",
        DefaultValueFactory = _ => byDefault,
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (ByteText.TryParse(text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text, out var bytes)) return bytes;
            result.AddError($"{name} is '{text}': it must be {ByteText.Expected}");
            return 0;
        },
    };

    /// <summary>An engine of its own for one command; whoever asked disposes both. Nobody else's reads are at stake but those --limit is for.</summary>
    public (ReadEngine Engine, IoBudget Budget) Open(ParseResult parsed, TimeProvider time)
    {
        var limit = parsed.GetValue(_limit);
        var budget = new IoBudget(limit, time);
        return (new ReadEngine(new ReadEngineOptions { Workers = parsed.GetValue(_jobs), Background = limit > 0 }, budget, time), budget);
    }
}
