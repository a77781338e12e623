using System.CommandLine;
using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Settings;

/// <summary>
/// An options class as command-line options: every setting becomes <c>--name</c>, falls back to its environment variable, then to its default.
/// A wrong value is an error that names the flag or variable, the value and what is allowed.
/// </summary>
public sealed class SettingsCommand<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>
    where T : new()
{
    private readonly List<(Setting Setting, Option<string?> Option)> _options = [];
    private readonly Func<string, string?> _environment;

    /// <summary>Adds the options to the command.</summary>
    /// <param name="command">Gets one option per setting.</param>
    /// <param name="environment">Looks up an environment variable.</param>
    public SettingsCommand(Command command, Func<string, string?> environment)
    {
        _environment = environment;
        var defaults = new T();
        foreach (var setting in Setting.Of(typeof(T)))
        {
            var option = new Option<string?>("--" + setting.Flag.Name)
            {
                Description = Help(setting, defaults!),
                HelpName = setting.IsSwitch ? "true|false" : setting.Flag.IsBytes ? "bytes" : "value",
                Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            command.Options.Add(option);
            _options.Add((setting, option));
        }
    }

    /// <summary>The settings as given, or every problem there is with them.</summary>
    public (T Settings, IReadOnlyList<string> Problems) Read(ParseResult parsed)
    {
        var (settings, problems) = (new T(), new List<string>());
        foreach (var (setting, option) in _options)
        {
            var problem = parsed.GetResult(option) is { Implicit: false }
                ? setting.Set(settings!, parsed.GetValue(option) ?? "")
                : FromEnvironment(setting, settings);
            if ((problem ?? Unset(setting, settings)) is { } wrong) problems.Add(wrong);
        }

        return (settings, problems);
    }

    private string? FromEnvironment(Setting setting, T settings)
    {
        if (setting.Flag.Environment is not { } name || _environment(name) is not { Length: > 0 } value) return null;
        return setting.Set(settings!, value) is { } problem ? problem.Replace("--" + setting.Flag.Name, name, StringComparison.Ordinal) : null;
    }

    private static string? Unset(Setting setting, T settings) =>
        setting.Check(settings!) is { } problem ? $"--{setting.Flag.Name} {problem}" + (setting.Flag.Environment is { } name ? $" (or set {name})" : "") : null;

    private static string Help(Setting setting, object defaults)
    {
        string[] parts = [setting.Text(defaults) is { Length: > 0 } text ? "default " + text : "", setting.Range(), setting.Flag.Environment is { } name ? "env " + name : ""];
        var detail = string.Join("; ", parts.Where(part => part.Length > 0));
        return detail.Length > 0 ? $"{setting.Flag.Description} [{detail}]" : setting.Flag.Description;
    }
}
