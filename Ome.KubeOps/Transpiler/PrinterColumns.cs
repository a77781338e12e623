using System.Reflection;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>Columns of <c>kubectl get</c>: those of properties, breadth first, then those of the class.</summary>
internal static class PrinterColumns
{
    private static readonly string[] Types = ["integer", "number", "string", "boolean", "date"];
    private static readonly string[] Formats = ["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];

    internal static List<V1CustomResourceColumnDefinition> Of(Type entity, IInheritedAttributeResolver resolver) =>
        [.. OfProperties(entity), .. OfClass(entity, resolver)];

    private static IEnumerable<V1CustomResourceColumnDefinition> OfProperties(Type entity)
    {
        var waiting = new Queue<(PropertyInfo Property, string Path, Type[] Above)>();
        Enter(entity, string.Empty, [entity]);
        while (waiting.TryDequeue(out var next))
        {
            var path = $"{next.Path}.{SchemaMapper.NameOf(next.Property)}";
            var type = next.Property.PropertyType;
            if (type.IsClass && !next.Above.Contains(type)) Enter(type, path, [.. next.Above, type]);
            if (next.Property.Find<AdditionalPrinterColumnAttribute>() is not { } column) continue;

            var schema = SchemaMapper.Map(next.Property, []);
            yield return Checked(next.Property, new V1CustomResourceColumnDefinition
            {
                Name = column.Text(1) ?? SchemaMapper.NameOf(next.Property),
                JsonPath = path,
                Type = schema.Type,
                Format = schema.Format,
                Description = schema.Description,
                Priority = Priority(column.Argument(0)),
            });
        }

        void Enter(Type type, string path, Type[] above)
        {
            foreach (var property in type.GetProperties()) waiting.Enqueue((property, path, above));
        }
    }

    private static IEnumerable<V1CustomResourceColumnDefinition> OfClass(Type entity, IInheritedAttributeResolver resolver)
    {
        foreach (var column in entity.FindInherited<GenericAdditionalPrinterColumnAttribute>())
        {
            if (column.ConstructorArguments.Count >= 3)
            {
                yield return Checked(entity, new V1CustomResourceColumnDefinition
                {
                    JsonPath = column.Text(0),
                    Name = column.Text(1),
                    Type = column.Text(2),
                    Description = column.Named("Description") as string,
                    Format = column.Named("Format") as string,
                    Priority = Priority(column.Named("Priority")),
                });
            }
            else if (resolver.TryResolve(column.AttributeType, out var values))
            {
                yield return Checked(entity, new V1CustomResourceColumnDefinition
                {
                    JsonPath = values.GetValueOrDefault("JsonPath") as string,
                    Name = values.GetValueOrDefault("Name") as string,
                    Type = values.GetValueOrDefault("Type") as string,
                    Description = values.GetValueOrDefault("Description") as string,
                    Format = values.GetValueOrDefault("Format") as string,
                    Priority = Priority((int?)(values.GetValueOrDefault("Priority") as PrinterColumnPriority?)),
                });
            }
        }
    }

    private static int Priority(object? value) => value is (int)PrinterColumnPriority.WideView ? 1 : 0;

    private static V1CustomResourceColumnDefinition Checked(MemberInfo member, V1CustomResourceColumnDefinition column)
    {
        SchemaChecks.Refuse(member, string.IsNullOrEmpty(column.Name) || string.IsNullOrEmpty(column.JsonPath), "a printer column needs a name and a JSON path.");
        SchemaChecks.Refuse(
            member, !Types.Contains(column.Type, StringComparer.Ordinal), $"column '{column.Name}' has type '{column.Type}'; it can be {string.Join(", ", Types)}.");
        SchemaChecks.Refuse(
            member,
            !string.IsNullOrEmpty(column.Format) && !Formats.Contains(column.Format, StringComparer.Ordinal),
            $"column '{column.Name}' has format '{column.Format}'; it can be {string.Join(", ", Formats)}.");
        return column;
    }
}
